"""The command ``session-fsm``, also run as ``python -m session_fsm``."""

import sys

__all__ = ["main"]

_EXTRA = ("click", "rich")


def main() -> None:
    """Run the command and exit; say what to install where the extra ``cli`` is missing."""
    try:
        from session_fsm.cli import session_fsm
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        sys.exit(_without_extra(error.name))
    session_fsm.main(prog_name="session-fsm")


def _without_extra(missing: str) -> int:
    needed = f'the command needs {missing}, which is not installed; run: pip install "session-fsm[cli]"'
    print(f"session-fsm: {needed}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
