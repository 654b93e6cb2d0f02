"""Calls to Talon.One with its own client: validate locally, send, and adopt the session in the response."""
