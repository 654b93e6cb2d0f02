"""x."""

__all__ = ["PAGE", "POLICY"]
PAGE = ""
POLICY = ""
