"""x."""

__all__ = ["description"]


def description():
    return {}
