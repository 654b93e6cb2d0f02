"""The app of the suite."""
