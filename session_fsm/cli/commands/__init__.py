"""The commands of `session-fsm`, one a file."""
