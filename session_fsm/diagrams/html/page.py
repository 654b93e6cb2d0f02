"""The renderer for HTML: one self-contained, interactive page. The coverage report also calls `page`.

Python evaluates the rules when the page is rendered. The script only knows the table and shows what is in the page;
without scripts the page is complete, but not interactive. Its content security policy forbids all requests.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from importlib.resources import files

from session_fsm.diagrams.html.history import history_entries, labels
from session_fsm.diagrams.html.sections import board, history, picture, rules, states, table
from session_fsm.diagrams.model import Diagram, Overlay
from session_fsm.diagrams.svg.paint import COLOURS, SANS, STYLE
from session_fsm.diagrams.svg.picture import draw
from session_fsm.diagrams.svg.text import escape

__all__ = ["page", "render"]


def render(diagram: Diagram, overlay: Overlay, *, detail: str) -> str:
    """Return the page of *diagram* with *overlay*.

    Args:
        diagram: the states, transitions and rules.
        overlay: the session, history and test counts to add.
        detail: ``full``, or ``simple`` for only states and triggers.
    """
    return page(diagram, overlay, detail=detail)


def page(diagram: Diagram, overlay: Overlay, *, detail: str, more: Iterable[tuple[str, str, str]] = ()) -> str:
    """Return the page of *diagram*. *more* holds further sections: the id, heading and content of each."""
    full = detail != "simple"
    style = _colours() + _resource("page.css")
    script = _resource("page.js")
    title = escape(diagram.title)
    entries = history_entries(diagram, overlay)
    sections = [
        ("picture", "The picture", picture(draw(diagram, overlay, full=full, standalone=False), steps=bool(entries))),
        ("states", "State by state", states(diagram, overlay, full=full)),
    ]
    if overlay.current is not None:
        sections.append(("board", "What the session may do now", board(diagram, overlay)))
    if entries:
        sections.append(("history", "How it came here", history(entries)))
    sections += more
    sections.append(("table", "Every transition", table(diagram, overlay, full=full)))
    if full and diagram.rules:
        sections.append(("rules", "The rules: what a trigger is refused for", rules(diagram, overlay)))
    links = "".join(f'<li><a href="#{name}">{heading}</a></li>\n' for name, heading, _ in sections)
    body = "\n".join(
        f'<section id="{name}" aria-labelledby="{name}-heading">\n'
        f'<h2 id="{name}-heading">{heading}</h2>\n{content}\n</section>'
        for name, heading, content in sections
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(script, style, STYLE)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title or "Diagram"}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<header>
<h1><bdi>{title}</bdi></h1>
<p>{_lead(diagram, overlay)}</p>
<nav aria-label="On this page">
<ul>
{links}</ul>
</nav>
</header>
<main>
{body}
</main>
<footer>
<p>Made by session-fsm from the table and the rules of <code><bdi>{escape(diagram.class_name)}</bdi></code>.</p>
</footer>
<script type="application/json" id="data">{_data(diagram, overlay)}</script>
<script>{script}</script>
</body>
</html>
"""


def _lead(diagram: Diagram, overlay: Overlay) -> str:
    if overlay.current is not None:
        subject = f"<bdi>{escape(overlay.subject)}</bdi>" if overlay.subject else "The session"
        return f"<strong>{subject}</strong> is <strong>{overlay.current}</strong> {overlay.when}."
    words = "Its states, its transitions, and the rules that refuse them."
    if diagram.class_name == diagram.title:
        return words
    return f"<code><bdi>{escape(diagram.class_name)}</bdi></code>: {words[0].lower()}{words[1:]}"


def _resource(name: str) -> str:
    return files("session_fsm.diagrams.html").joinpath(name).read_text(encoding="utf-8")


def _colours() -> str:
    """Return the colours of the picture as custom properties for the style sheet of the page."""
    light, dark = ("".join(f"--{name}:{pair[theme]};" for name, pair in COLOURS.items()) for theme in (0, 1))
    return f":root{{{light}--sans:{SANS}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def _policy(script: str, *styles: str) -> str:
    """Return the content security policy that allows only this script and these styles."""
    style_hashes = " ".join(map(_hash, styles))
    allowed = f"script-src {_hash(script)}; style-src {style_hashes}; img-src data:"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


def _data(diagram: Diagram, overlay: Overlay) -> str:
    """Return the data for the script as JSON, escaped for a <script> element."""
    entries = history_entries(diagram, overlay)
    start = overlay.current or (entries[-1].state if entries else None)
    data = {
        "start": start or "new",
        "edges": [
            {"id": edge.id, "source": edge.source or "new", "trigger": edge.trigger, "target": edge.target}
            for edge in diagram.edges
        ],
        "history": [
            {
                "label": label,
                "text": entry.text,
                "edges": entry.tried if entry.refused else entry.edges,
                "state": entry.state or "new",
            }
            for label, entry in zip(labels(entries), entries, strict=True)
        ],
    }
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
