"""A style sheet that makes the SVG pictures follow the site's light or dark theme, not only the system's."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from session_fsm.diagrams.svg.paint import COLOURS

__all__ = ["STYLE", "setup"]

STYLE = "".join(
    f"body[data-theme={theme}] .fsm .{kind[0]}-{name}{{{kind}:{colour}}}"
    for name, colours in COLOURS.items()
    for theme, colour in zip(("light", "dark"), colours, strict=True)
    for kind in ("fill", "stroke")
)
"""The colours of the pictures for each theme."""


def _into_head(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], doctree: object) -> None:
    if doctree is not None:
        context["metatags"] += f"<style>{STYLE}</style>"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the event handler."""
    app.connect("html-page-context", _into_head)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
