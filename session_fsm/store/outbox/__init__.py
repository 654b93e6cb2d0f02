"""The messages about events, and how they are handed over."""
