"""The subcommands of `session-fsm`, one per module."""
