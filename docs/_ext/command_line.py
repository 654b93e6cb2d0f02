"""The part of the reference that documents each subcommand with its arguments, options and examples."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from textwrap import dedent

import click

from _ext.writing import code
from session_fsm.cli import command

__all__ = ["subcommands"]


def subcommands() -> Iterator[str]:
    """Yield a section for every subcommand, from its help."""
    context = click.Context(command, info_name="session-fsm", terminal_width=100, **command.context_settings)
    yield from _description(context)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None, name  # noqa: S101 - it is in the list
        yield from (f"## session-fsm {name}", "")
        inner = click.Context(found, info_name=name, parent=context)
        yield from _description(inner)
        for below, one in found.commands.items() if isinstance(found, click.Group) else ():
            yield from (f"### session-fsm {name} {below}", "")
            yield from _description(click.Context(one, info_name=below, parent=inner))


def _description(context: click.Context) -> Iterator[str]:
    described = context.command
    yield from _block(described.get_usage(context).removeprefix("Usage: "))
    for paragraph in inspect.cleandoc(described.help or "").split("\n\n"):
        yield from (_escaped(" ".join(paragraph.split())), "")
    options = [one for one in described.params if isinstance(one, click.Option)]  # without --help
    yield from (f"- {_names(option, context)}: {_help(option)}" for option in options)
    yield from [""] if options else []
    for example in filter(None, (described.epilog or "").split("\b\n")):
        heading, _, text = example.partition("\n")
        yield from (heading, "")
        yield from _block(dedent(text.strip("\n")))


def _block(text: str) -> Iterator[str]:
    yield from ("```text", text, "```", "")


def _names(option: click.Option, context: click.Context) -> str:
    """Return the names of an option, each with its metavar."""
    metavar = "" if option.is_flag else f" {option.make_metavar(context)}".replace("INTEGER RANGE", "N")
    return ", ".join(code(f"{name}{metavar}") for name in option.opts)


def _help(option: click.Option) -> str:
    default = option.default[0] if isinstance(option.default, list) else option.default
    said = f" Default: {code(str(default))}." if option.show_default else ""
    return f"{_escaped(option.help or '')}{said}"


def _escaped(text: str) -> str:
    """Return *text* with stars escaped, and commands and options as code."""
    text = re.sub(r'"(session-fsm [^"]+)"', r"`\1`", text.replace("*", "\\*"))
    return "".join(
        part if part.startswith("`") else re.sub(r"(?<![\w-])--[a-z]+(-[a-z]+)*", r"`\g<0>`", part)
        for part in re.split(r"(`[^`]+`)", text)
    )
