"""The pictures of the site: the committed diagrams are part of their page, so that they follow its theme.

A page shows a committed diagram as an image, which GitHub shows too. A style sheet gives the pictures the colours of the
site's light or dark theme, where an image would follow the system alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from session_fsm.diagrams.svg.paint import COLOURS

_DIAGRAMS = Path(__file__).parents[2] / "diagrams"

__all__ = ["STYLE", "setup"]

STYLE = "".join(
    f"body[data-theme={theme}] .fsm .{kind[0]}-{name}{{{kind}:{colour}}}"
    for name, colours in COLOURS.items()
    for theme, colour in zip(("light", "dark"), colours, strict=True)
    for kind in ("fill", "stroke")
)
"""The colours of the pictures for each theme."""


def _inline(app: Sphinx, document: nodes.document) -> None:
    """Replace every image of a committed diagram with the SVG itself."""
    page = Path(app.env.doc2path(app.env.current_document.docname))
    for image in list(document.findall(nodes.image)):
        file = (page.parent / image["uri"]).resolve()
        if file.is_relative_to(_DIAGRAMS):
            app.env.note_dependency(str(file))
            svg = nodes.raw("", file.read_text(encoding="utf-8"), format="html")
            image.parent.replace_self(nodes.container("", svg, classes=["picture"]))


def _into_head(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], doctree: object) -> None:
    if doctree is not None:
        context["metatags"] += f"<style>{STYLE}</style>"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the event handlers."""
    app.connect("doctree-read", _inline, priority=400)  # before Sphinx collects the images
    app.connect("html-page-context", _into_head)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
