"""The Sphinx directive ``session-fsm-diagram``, which draws a session class in documentation.

With ``extensions = ["session_fsm.diagrams.sphinx"]`` in ``conf.py``::

    .. session-fsm-diagram:: shop.sessions:ShopSession
       :format: svg
       :detail: simple
       :title: Orders of the shop

All options are optional. An ``svg`` is inlined into the page, so its text can be selected and searched; a builder for
another output than HTML gets the source of the Mermaid diagram instead. For every other format the page shows the
source, highlighted if Sphinx has a lexer. Sphinx rebuilds the page when the module of the class has changed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from importlib import import_module
from operator import attrgetter
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from session_fsm.diagrams import DETAILS, Format, render

__all__ = ["DiagramDirective", "setup"]

# The lexer for each format whose source Sphinx can highlight.
_LANGUAGES = {"json": "json", "scxml": "xml", "html": "html"}


def _detail(argument: str) -> str:
    return directives.choice(argument, DETAILS)


class DiagramDirective(SphinxDirective):
    """The directive ``session-fsm-diagram``."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Callable[[str], Any]] | None] = {
        "format": directives.unchanged_required,
        "detail": _detail,
        "title": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """Return the docutils nodes of the diagram."""
        options: dict[str, Any] = self.options
        output_format = Format(options.get("format", "svg"))
        module_name, _, class_name = self.arguments[0].partition(":")
        try:
            kind = attrgetter(class_name)(import_module(module_name))
            draw = partial(render, kind, detail=options.get("detail", "full"), title=options.get("title"))
            output = draw(output_format)
            source = draw("mermaid") if output_format == "svg" else output
        except (ImportError, AttributeError, ValueError) as error:
            raise self.error(f"{self.name}: {self.arguments[0]} cannot be drawn: {error}") from error
        self.env.note_dependency(inspect.getfile(kind))
        literal = nodes.literal_block(source, source, language=_LANGUAGES.get(output_format, "none"))
        if output_format != "svg":
            return [literal]
        html = addnodes.only("", nodes.raw("", output, format="html"), expr="format_html")
        return [html, addnodes.only("", literal, expr="not format_html")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive to Sphinx."""
    app.add_directive("session-fsm-diagram", DiagramDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
