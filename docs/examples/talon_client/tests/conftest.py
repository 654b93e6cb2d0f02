"""The fixture `talon_one`: a sandbox on a port of its own, new for each test."""

pytest_plugins = ["session_fsm.testing.plugin"]
