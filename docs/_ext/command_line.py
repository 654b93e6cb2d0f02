"""The directive ``command-line``, which documents each subcommand with its arguments, options and examples."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from textwrap import indent
from typing import Any

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from session_fsm.cli import command

__all__ = ["setup"]


class CommandLine(SphinxDirective):
    """``command-line``: a section for every subcommand, from its help."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each command."""
        context = click.Context(command, info_name="session-fsm", **command.context_settings)
        lines = list(_description(context, "session-fsm"))
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, name  # noqa: S101 - it is in the list
            self.env.note_dependency(inspect.getfile(inspect.unwrap(found.callback or found)))
            lines += [f"session-fsm {name}", "-" * 40, ""]
            inner = click.Context(found, info_name=name, parent=context)
            lines += _description(inner, f"session-fsm {name}")
            for below, one in found.commands.items() if isinstance(found, click.Group) else ():
                lines += [f"session-fsm {name} {below}", "~" * 40, ""]
                lines += _description(click.Context(one, info_name=below, parent=inner), f"session-fsm {name} {below}")
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _description(context: click.Context, title: str) -> Iterator[str]:
    described = context.command
    yield from (".. code-block:: text", "", f"   {described.get_usage(context).removeprefix('Usage: ')}", "")
    yield from (_escaped(inspect.cleandoc(described.help or "")), "", f".. program:: {title}", "")
    for parameter in described.get_params(context):
        if isinstance(parameter, click.Option):
            yield from (f".. option:: {_names(parameter, context)}", "", f"   {_escaped(_help(parameter))}", "")
    for example in filter(None, (described.epilog or "").split("\b\n")):
        heading, _, text = example.partition("\n")
        yield from (heading, "", ".. code-block:: text", "", indent(text.strip("\n"), " "), "")


def _names(option: click.Option, context: click.Context) -> str:
    """Return the names of an option, each with its metavar."""
    metavar = "" if option.is_flag else f" {option.make_metavar(context)}"
    return ", ".join(f"{name}{metavar}" for name in option.opts)


def _help(option: click.Option) -> str:
    default = f" Default: ``{option.default}``." if option.show_default else ""
    return f"{option.help or ''}{default}"


def _escaped(text: str) -> str:
    """Return *text* with stars and trailing underscores escaped, and options as literals."""
    plain = text.replace("*", "\\*").replace("_ ", "\\_ ")
    return re.sub(r"(?<![\w-])--[a-z]+(-[a-z]+)*", r"``\g<0>``", plain)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
