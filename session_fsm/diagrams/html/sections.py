"""The sections of the HTML page. `page` assembles them; each is complete without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from session_fsm.diagrams.html.history import labels
from session_fsm.diagrams.model import Diagram, Edge, HistoryEntry, Node, Overlay
from session_fsm.diagrams.svg.panels import board_entries
from session_fsm.diagrams.svg.text import escape
from session_fsm.diagrams.wording import is_uncovered, same_rules, times
from session_fsm.states import MEANING_OF_TRIGGER, State, Trigger

__all__ = ["board", "history", "picture", "rules", "states", "table"]

_NEW = "Before there is a session. One is created as a cart (open) or at once as an order (closed)."


_STEP_BUTTONS = """<div class="play steps" hidden>
<p>Steps of its history (also with the arrow keys, Home and End):
<button type="button" data-step="first">First</button>
<button type="button" data-step="back">Back</button>
<button type="button" data-step="next">Next</button>
<button type="button" data-step="last">Last</button></p>
<p id="step" role="status"></p>
</div>
"""


def _isolated(text: str) -> str:
    """Return user-supplied text, escaped and with its writing direction isolated."""
    return f"<bdi>{escape(text)}</bdi>"


def _links(diagram: Diagram, codes: Iterable[str]) -> list[str]:
    """Return the codes of rules as links to the rule list."""
    numbers = {rule.code: number for number, rule in enumerate(diagram.rules, start=1)}
    return [
        f'<a href="#rule-{numbers[code]}"><code>{_isolated(code)}</code></a>'
        if code in numbers
        else f"<code>{_isolated(code)}</code>"
        for code in codes
    ]


def picture(svg: str, *, steps: bool) -> str:
    """Return the section with the picture; with *steps*, also the buttons that step through the history."""
    return f"""<p class="play" hidden>Pick a state, or follow an arrow that leaves the one you are in.</p>
{_STEP_BUTTONS if steps else ""}<p class="swipe fine">The picture is wider than the screen: swipe it sideways. ↔</p>
<section class="scroll at-start" tabindex="0" aria-label="The picture, which may be wider than the screen">
{svg}
</section>"""


def states(diagram: Diagram, overlay: Overlay, *, full: bool) -> str:
    """Return the section that shows, for each state, its meaning and what the table allows and refuses."""
    nodes = ["new", *(node.state for node in diagram.nodes)]
    picks = "\n".join(f'<li><a href="#state-{name}" data-pick="{name}">{name}</a></li>' for name in nodes)
    panels = [_panel(diagram, overlay, None, full=full)]
    panels += [_panel(diagram, overlay, node, full=full) for node in diagram.nodes]
    return f"""<nav aria-label="States">
<ul class="picks">
{picks}
</ul>
</nav>
<div class="play" hidden>
<p id="said" role="status"></p>
<p>Your path: <span id="trail"></span></p>
<p><button type="button" id="undo">One step back</button> <button type="button" id="restart">Start over</button></p>
</div>
{"".join(panels)}"""


def _panel(diagram: Diagram, overlay: Overlay, node: Node | None, *, full: bool) -> str:
    """Return the panel of one state; None is the state before creation."""
    state = None if node is None else node.state
    name = state or "new"
    leaving = [edge for edge in diagram.edges if edge.source is state]
    here = ' <span class="badge">here now</span>' if state is not None and overlay.current is state else ""
    transitions = "\n".join(_transition(diagram, overlay, edge, full=full) for edge in leaving)
    parts = [f'<h3 id="state-{name}" tabindex="-1">{name}{here}</h3>']
    parts.append(f"<p>{_NEW if node is None else _isolated(node.meaning)}</p>")
    parts.append(
        f'<h4>Transitions</h4>\n<ul class="ways">\n{transitions}\n</ul>'
        if transitions
        else "<p>No transition leaves this state.</p>"
    )
    refused = _refused(diagram, overlay, state, {edge.trigger for edge in leaving})
    if leaving and refused:
        items = "\n".join(f"<li><strong>{trigger}</strong>: {reason}</li>" for trigger, reason in refused)
        parts.append(f"<h4>What is refused</h4>\n<ul>\n{items}\n</ul>")
    return f'<div class="panel" data-panel="{name}">\n' + "\n".join(parts) + "\n</div>\n"


def _refused(
    diagram: Diagram, overlay: Overlay, state: State | None, leaving: set[Trigger]
) -> list[tuple[Trigger, str]]:
    """Return the triggers that the table does not allow from *state*, each with the reason."""
    board = {entry.trigger: entry.reasons for entry in overlay.board if overlay.current is state}
    found: list[tuple[Trigger, str]] = []
    for trigger in Trigger:
        sources = dict.fromkeys(edge.source for edge in diagram.edges if edge.trigger is trigger and edge.source)
        if state is None or trigger in leaving or trigger is Trigger.CREATE:
            continue
        if trigger in board:
            found.append((trigger, _reasons(board[trigger])))
        elif sources:
            found.append((trigger, f"the table allows it only from {' or '.join(sources)}."))
        else:
            found.append((trigger, "the table allows it from no state."))
    return found


def _reasons(reasons: Sequence[str]) -> str:
    return " ".join(map(_isolated, reasons))


def _transition(diagram: Diagram, overlay: Overlay, edge: Edge, *, full: bool) -> str:
    """Return the list item of a transition that leaves a state."""
    link = f'<a href="#state-{edge.target}" data-follow="{escape(edge.id)}">'
    parts = [f"<li>{link}<strong>{edge.trigger}</strong> → {edge.target}</a>"]
    if edge.id in overlay.allowed:
        parts.append('<span class="yes">✓ allowed now</span>')
    if edge.id in overlay.refused:
        parts.append(f'<span class="no">✗ refused now:</span> {_reasons(overlay.refused[edge.id])}')
    if full:
        parts.append(f"<p>{escape(MEANING_OF_TRIGGER[edge.trigger])}</p>")
        parts.append(
            f'<p class="fine">{edge.operation}; records <code>{edge.event_name}</code>; row {_isolated(edge.id)}</p>'
        )
        texts = {rule.code: rule.text for rule in diagram.rules}
        links = zip(edge.rules, _links(diagram, edge.rules), strict=True)
        items = "\n".join(f"<li>{link}: {_isolated(texts.get(code, ''))}</li>" for code, link in links)
        if items:
            count = "one rule" if len(edge.rules) == 1 else f"{len(edge.rules)} rules"
            parts.append(f"<details open><summary>{count} may refuse it</summary>\n<ul>\n{items}\n</ul></details>")
    return "\n".join([*parts, "</li>"])


def board(diagram: Diagram, overlay: Overlay) -> str:
    """Return the section that shows which triggers the session allows now, and why it refuses the others."""
    rows: list[str] = []
    for entry in board_entries(diagram, overlay):
        if entry.reasons:
            now, details = '<span class="no">✗ refused</span>', _reasons(entry.reasons)
        else:
            now, details = '<span class="yes">✓ allowed</span>', f"leads to {entry.target}"
        rows.append(
            _row([("Trigger", f"<strong>{entry.trigger}</strong>"), ("Now", now), ("Where to, or why not", details)])
        )
    subject = f"<strong>{_isolated(overlay.subject)}</strong>" if overlay.subject else "The session"
    return f"<p>{subject} is <strong>{overlay.current}</strong>.</p>\n" + _html_table(
        ["Trigger", "Now", "Where to, or why not"], rows
    )


def history(entries: Sequence[HistoryEntry]) -> str:
    """Return the section with the history; the script lets the reader step through it."""
    items: list[str] = []
    for label, entry in zip(labels(entries), entries, strict=True):
        time = f' <time datetime="{escape(entry.at)}">{escape(entry.shown_time)}</time>' if entry.at else ""
        number = f'<span class="number">{label}</span> '
        refused = '<span class="no">✗</span> ' if entry.refused else ""
        unknown = "" if entry.refused or entry.edges else ' <span class="no">(no row of this table)</span>'
        items.append(f"<li>{number}{refused}{_isolated(entry.text)}{unknown}{time}</li>")
    body = "\n".join(items)
    return f'<ol id="moments">\n{body}\n</ol>'


def table(diagram: Diagram, overlay: Overlay, *, full: bool) -> str:
    """Return the section with every row of the table."""
    headers = ["Row", "From", "Trigger", "To"]
    headers += ["API call", "Event", "Refused for"] if full else []
    headers += [] if overlay.counts is None else [overlay.counted.capitalize()]
    rows: list[str] = []
    for edge in diagram.edges:
        cells = [_isolated(edge.id), edge.source or "(new)", f"<strong>{edge.trigger}</strong>", str(edge.target)]
        if full:
            cells += [str(edge.operation), f"<code>{edge.event_name}</code>", _faults(diagram, edge)]
        if overlay.counts is not None:
            never = is_uncovered(edge, overlay)
            cells.append('<span class="no">! never</span>' if never else times(overlay.counts[edge.id]))
        rows.append(_row(list(zip(headers, cells, strict=True))))
    return _html_table(headers, rows)


def _faults(diagram: Diagram, edge: Edge) -> str:
    listed = diagram.listed_at(edge)
    if listed is not edge:
        return _isolated(same_rules(listed))
    return ", ".join(_links(diagram, edge.rules)) or "nothing"


def _row(cells: Sequence[tuple[str, str]]) -> str:
    """Return a table row; ``data-head`` repeats the head of each cell for narrow screens, which hide the head row."""
    return "<tr>" + "".join(f'<td data-head="{head}"><div>{cell}</div></td>' for head, cell in cells) + "</tr>"


def _html_table(headers: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in headers)
    body = "\n".join(rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def rules(diagram: Diagram, overlay: Overlay) -> str:
    """Return the section with the text, the triggers and the test counts of each rule."""
    entries: list[str] = []
    for number, rule in enumerate(diagram.rules, start=1):
        triggers = ", ".join(dict.fromkeys(edge.trigger for edge in diagram.edges if rule.code in edge.rules))
        counts = f"\n<dd>{_outcome_counts(rule.code, overlay.counts)}</dd>" if overlay.counts is not None else ""
        entries.append(
            f'<div><dt id="rule-{number}"><code>{_isolated(rule.code)}</code> <span class="fine">{triggers}</span></dt>\n'
            f"<dd>{_isolated(rule.text)}</dd>{counts}</div>"
        )
    return "<dl>\n" + "\n".join(entries) + "\n</dl>"


def _outcome_counts(code: str, counts: Mapping[str, int]) -> str:
    parts: list[str] = []
    for outcome, word in (("passed", "passed"), ("violated", "refused")):
        count = counts.get(f"{code}:{outcome}", 0)
        parts.append(f"{word} {times(count)}" if count else f'<span class="no">! never {word}</span>')
    return ", ".join(parts)
