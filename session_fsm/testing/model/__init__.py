"""The independent reference model of a session, and the Hypothesis state machine that compares a class with it."""
