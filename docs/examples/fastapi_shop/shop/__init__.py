"""An order service in FastAPI on top of session-fsm."""
