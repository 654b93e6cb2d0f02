"""Hypothesis strategies for valid and invalid values, for sessions with a history, and for JSON documents."""
