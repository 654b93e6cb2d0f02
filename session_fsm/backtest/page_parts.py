"""The parts of the page of a report: tables, bars, and how texts, times and amounts are written."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

from session_fsm.diagrams.svg.paint import COLOURS, SANS
from session_fsm.diagrams.svg.text import escape

__all__ = ["bar", "colours", "isolated", "many", "money", "policy", "pre", "share", "table", "time_of"]

_LONGEST = 20_000
"""The greatest number of characters of an example's recording or test that the page shows."""
_NUMBERS = {"Operations", "Share", "Total", "Newly refused", "Refused"}


def table(rows: Sequence[Sequence[tuple[str, str]]]) -> str:
    """Return a table of cells with their headings."""
    heads = "".join(f'<th scope="col"{_class(head)}>{head}</th>' for head, _ in rows[0])
    lines = "\n".join("<tr>" + "".join(_cell(head, cell) for head, cell in row) + "</tr>" for row in rows)
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{lines}\n</tbody>\n</table>"


def _cell(head: str, cell: str) -> str:
    return f'<td data-head="{head}"{_class(head)}><div>{cell}</div></td>'


def _class(head: str) -> str:
    return ' class="number"' if head in _NUMBERS else ""


def bar(number: int, most: int, style: str = "no") -> str:
    """Return a bar of *number* out of *most*."""
    width = 1000 * number // most if most else 0
    return (
        f'<svg class="bar {style}" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="of" width="1000" height="10"/><rect width="{width}" height="10"/></svg>'
    )


def pre(text: str) -> str:
    """Return code, escaped, with its first characters if it is long."""
    lines = "\n".join(_indented(line) for line in text[:_LONGEST].rstrip("\n").split("\n"))
    more = "\n..." if len(text) > _LONGEST else ""
    return f'<pre tabindex="0"><bdi>{lines}{more}</bdi></pre>'


def _indented(line: str) -> str:
    """Return a line of code, escaped, with its indentation."""
    code = line.lstrip(" ")
    return " " * (len(line) - len(code)) + escape(code)


def isolated(text: str) -> str:
    """Return recorded text, escaped and with its writing direction isolated."""
    return f"<bdi>{escape(text)}</bdi>"


def time_of(time: datetime | None) -> str:
    """Return a time in UTC, to the minute."""
    return "" if time is None else f"<time>{time.astimezone(UTC):%Y-%m-%d %H:%M}</time>"


def money(total: str) -> str:
    """Return an amount with separators and all its digits."""
    whole, dot, rest = total.partition(".")
    return f"{int(whole):,}{dot}{rest}"


def many(number: int, thing: str) -> str:
    """Return a number with the word for what it counts."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def share(number: int, of: int) -> str:
    """Return a share in percent, never rounded to nothing or to all."""
    if not of:
        return ""
    percent = 100 * number / of
    if number and percent < 0.1:
        return "less than 0.1 %"
    return f"{min(percent, 99.9) if number < of else 100:.3g} %"


def colours() -> str:
    """Return the colours as custom properties."""
    light, dark = ("".join(f"--{name}:{pair[theme]};" for name, pair in COLOURS.items()) for theme in (0, 1))
    return f":root{{{light}--sans:{SANS}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def policy(*styles: str) -> str:
    """Return the content security policy that allows only these styles."""
    hashes = " ".join(f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" for style in styles)
    return f"default-src 'none'; style-src {hashes}; img-src data:; base-uri 'none'; form-action 'none'"
