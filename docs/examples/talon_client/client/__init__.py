"""Calls to Talon.One with its own client: judged here, sent, and taken over from the answer."""
