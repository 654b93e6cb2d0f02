"""The diagram as a page that needs nothing but itself: to read, to play with, to step through.

The rules are judged here, when the page is made. Its script knows the table and shows what this module has written;
without scripts the page is complete, only still. Nothing is fetched: the policy in its head forbids it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from importlib.resources import files

from session_fsm.diagrams.html.history import labels, moments
from session_fsm.diagrams.html.sections import board, history, picture, rules, states, table
from session_fsm.diagrams.model import Diagram, Overlay
from session_fsm.diagrams.svg.paint import COLOURS, SANS, STYLE
from session_fsm.diagrams.svg.picture import draw
from session_fsm.diagrams.svg.text import escape

__all__ = ["page", "render"]


def render(diagram: Diagram, overlay: Overlay, *, detail: str) -> str:
    """Return the page of *diagram* with *overlay* upon it.

    Args:
        diagram: what there is to show.
        overlay: what lies upon it.
        detail: ``full``, or ``simple`` for states and triggers alone.
    """
    return page(diagram, overlay, detail=detail)


def page(diagram: Diagram, overlay: Overlay, *, detail: str, more: Iterable[tuple[str, str, str]] = ()) -> str:
    """Return the page of *diagram* with *more* sections after the states: of each the id, the heading, the content."""
    full = detail != "simple"
    style = _colours() + _resource("page.css")
    script = _resource("page.js")
    title = escape(diagram.title)
    told = moments(diagram, overlay)
    sections = [
        ("picture", "The picture", picture(draw(diagram, overlay, full=full, alone=False), steps=bool(told))),
        ("states", "State by state", states(diagram, overlay, full=full)),
    ]
    if overlay.current is not None:
        sections.append(("board", "What the session may do now", board(diagram, overlay)))
    if told:
        sections.append(("history", "How it came here", history(told)))
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
        whose = f"<bdi>{escape(overlay.subject)}</bdi>" if overlay.subject else "The session"
        return f"<strong>{whose}</strong> is <strong>{overlay.current}</strong> now."
    whose = f"<code><bdi>{escape(diagram.class_name)}</bdi></code>"
    return f"The states of a customer session ({whose}), its transitions, and the rules that refuse them."


def _resource(name: str) -> str:
    return files("session_fsm.diagrams.html").joinpath(name).read_text(encoding="utf-8")


def _colours() -> str:
    """Return the colours of the picture as properties that the style sheet of the page can use."""
    light, dark = ("".join(f"--{name}:{pair[place]};" for name, pair in COLOURS.items()) for place in (0, 1))
    return f":root{{{light}--sans:{SANS}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def _policy(script: str, *styles: str) -> str:
    """Return the policy that lets exactly this script and these styles in, and nothing else."""
    allowed = " ".join(map(_hash, styles))
    kept = f"script-src {_hash(script)}; style-src {allowed}; img-src data:"
    return f"default-src 'none'; {kept}; base-uri 'none'; form-action 'none'"


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


def _data(diagram: Diagram, overlay: Overlay) -> str:
    """Return what the script needs to know, as JSON that no text in it can break out of."""
    told = moments(diagram, overlay)
    where = overlay.current or (told[-1].state if told else None)
    data = {
        "start": where or "new",
        "edges": [
            {"id": edge.id, "source": edge.source or "new", "trigger": edge.trigger, "target": edge.target}
            for edge in diagram.edges
        ],
        "history": [
            {
                "label": label,
                "text": moment.text,
                "edges": moment.tried if moment.refused else moment.edges,
                "state": moment.state or "new",
            }
            for label, moment in zip(labels(told), told, strict=True)
        ],
    }
    written = json.dumps(data, separators=(",", ":"))
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
