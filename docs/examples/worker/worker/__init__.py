"""A worker that applies each recorded operation once and publishes the events."""
