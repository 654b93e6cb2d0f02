"""An order service in Django on top of session-fsm."""
