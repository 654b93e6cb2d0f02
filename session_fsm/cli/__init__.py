"""The command ``session-fsm``, a click group. It imports the module of a subcommand when the subcommand is called.

A subcommand returns its exit status: 1 if its check fails, 2 if it cannot read its input, 0 or None otherwise. Errors
are reported in one line on standard error; usage errors end with status 2.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType
from typing import Any, Never

import click

import session_fsm
from session_fsm.cli.terminal import discard_output, prepare, write_error
from session_fsm.errors import SessionFSMError

__all__ = ["COMMANDS", "command"]

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "session_fsm.cli.commands.demo",
        "replay": "session_fsm.cli.commands.replay",
        "check": "session_fsm.cli.commands.check",
        "explain": "session_fsm.cli.commands.explain",
        "backtest": "session_fsm.cli.commands.backtest",
        "diagram": "session_fsm.cli.commands.diagram",
        "coverage": "session_fsm.cli.commands.coverage",
        "mutants": "session_fsm.cli.commands.mutants",
        "lint": "session_fsm.cli.commands.lint",
        "diff": "session_fsm.cli.commands.diff",
        "schema": "session_fsm.cli.commands.schema",
        "drift": "session_fsm.cli.commands.drift",
        "store": "session_fsm.cli.commands.store",
        "sandbox": "session_fsm.cli.commands.sandbox",
    }
)
"""The module of each subcommand, in the order of the help; its attribute ``command`` is the click command."""

# Options of other programs, and the one that a command may have instead.
_USUAL = {"-f": "--format", "-c": "--class", "--output": "-o", "--out": "-o"}
_CLASS_AS_ARGUMENT = re.compile(r"unexpected extra argument \((\w[\w.]*:\w[\w.]*)\)")
# The exit status of a program that a signal has ended: 128 plus the number of the signal.
_INTERRUPTED = 130
_BROKEN_PIPE = 141


class Commands(click.Group):
    """A group that imports its commands lazily and turns every error into an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # the signature is click's
        """Return the names of the commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # the signature is click's
        """Import and return a command, or return None if the name is unknown."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        found: click.Command = import_module(module).command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that *args* begin with. The error about an unknown name suggests a similar one."""
        similar = get_close_matches(args[0], [*COMMANDS, "--version", "--help"], 1)
        if similar and args[0] not in COMMANDS:
            ctx.fail(f"no such command '{args[0]}'; did you mean '{similar[0]}'?")
        return super().resolve_command(ctx, args)

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, *given: Any, **extra: Any) -> Never:
        """Run a command and end the process with its exit status."""
        prepare()
        extra["standalone_mode"] = False
        try:
            status: Any = super().main(args, prog_name, *given, **extra)
        except click.UsageError as error:
            # An invalid value needs no further hint; other usage errors refer to the help.
            hint = (
                f" (see {error.ctx.command_path} --help)" if error.ctx and type(error) is not click.BadParameter else ""
            )
            write_error(_one_line(error.format_message()) + _suggestion(error) + hint)
            status = 2
        except click.ClickException as error:
            write_error(_one_line(error.format_message()))
            status = 2
        except SessionFSMError as error:
            write_error(str(error))
            status = 2
        except (click.Abort, KeyboardInterrupt):
            status = _INTERRUPTED
        sys.exit(status)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command and return its exit status, also after an interrupt or a broken pipe."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except KeyboardInterrupt:
            return _INTERRUPTED
        except BrokenPipeError:
            discard_output(sys.stdout, sys.stderr)
            return _BROKEN_PIPE
        except OSError as error:
            discard_output(sys.stdout)
            raise click.ClickException(f"{error.filename or 'the output'}: {error.strerror}") from error


def _suggestion(error: click.UsageError) -> str:
    """Return what the user probably meant, or an empty text."""
    known = {name for option in error.ctx.command.params for name in option.opts} if error.ctx else set[str]()
    match error:
        case click.NoSuchOption(option_name=name) if (meant := _USUAL.get(name)) in known:
            return f"; did you mean {meant}?"
        case _ if "--class" in known and (place := _CLASS_AS_ARGUMENT.search(error.format_message())):
            return f"; write --class {place[1]}"
        case _:
            return ""


def _one_line(message: str) -> str:
    """Return a message of click in one line. Its first word is in lower case, unless it is a name; no full stop."""
    first, space, rest = " ".join(message.split()).removesuffix(".").partition(" ")
    return (first.lower() if first.isalpha() and first.istitle() else first) + space + rest


def _show_version(ctx: click.Context, _: click.Parameter, wanted: Any) -> None:
    if wanted:
        try:
            number = session_fsm.__version__
        except ImportError:  # the source tree is not installed
            number = "(not installed)"
        click.echo(f"session-fsm {number}")
        ctx.exit()


@click.group(
    "session-fsm",
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  session-fsm demo                    print the steps of an example order
  session-fsm explain close           describe a trigger and its rules
  session-fsm check update.json       validate the body of a request
  session-fsm diagram -o states.svg""",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Talon.One's customer session as a finite-state machine, on the command line.

    Commands about a session class take --class package.module:ShopSession. COMMAND --help describes a command.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
