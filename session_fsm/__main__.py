"""The command ``session-fsm``, also run as ``python -m session_fsm``."""

import sys

__all__ = ["main"]

_EXTRA = ("click", "rich")


def main() -> None:
    """Run the command and exit; say what to install where the extra ``cli`` is missing."""
    try:
        from session_fsm.cli import command  # noqa: PLC0415  # may be missing what it needs
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _EXTRA:
            raise
        sys.stderr.write(f'session-fsm: {missing} is not installed; run: pip install "session-fsm[cli]"\n')
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    command.main(prog_name="session-fsm")


if __name__ == "__main__":
    main()
