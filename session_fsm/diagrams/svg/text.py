"""Functions that escape, measure, wrap and shorten text for the SVG picture and the HTML page.

The reader's font is unknown, so widths are upper estimates. They depend only on the characters, so that the picture is
the same on every machine.
"""

from __future__ import annotations

from session_fsm.diagrams.drawable import drawable

__all__ = ["attributes", "escape", "length", "wrap"]

_EMS = {
    character: ems
    for ems, characters in (
        (0.3, "iIjl'|!"),
        (0.33, " .,:;·"),
        (0.42, "frtJ()[]/-"),
        (0.56, "cszL_*"),
        (0.63, "aekovxyEFPTYZ?"),
        (0.84, "wCDGHNOQU&~→"),
        (1.0, "mMW@%…"),
    )
    for character in characters
}
"""The width of characters in a wide font, in ems."""


def escape(text: str) -> str:
    """Return *text* on one line, escaped for the content of an element or a quoted attribute, in XML and HTML."""
    text = drawable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")


def attributes(**values: object) -> str:
    """Return *values* as attributes, each after a space.

    An attribute that is None is omitted. In a name ``_`` becomes ``-``; a trailing ``_`` is removed.
    """
    return "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in values.items()
        if value is not None
    )


def length(text: str, size: int, *, mono: bool = False, bold: bool = False) -> float:
    """Return the greatest width of *text* in pixels, at a font size of *size* pixels."""
    ems = sum(_ems(character, mono=mono) for character in text)
    return ems * size * (1.14 if bold and not mono else 1)


def _ems(character: str, *, mono: bool) -> float:
    if character >= "\u1100" and not "\u2010" <= character <= "\u2193":  # ideographs, emoji and other wide characters
        return 1.3
    if mono:
        return 0.61
    return _EMS.get(character, 0.72 if character.isupper() else 0.65)


def wrap(text: str, room: int, size: int, *, most: int, mono: bool = False, bold: bool = False) -> tuple[str, ...]:
    """Break *text* into at most *most* lines of at most *room* pixels; a longer text ends with an ellipsis."""

    def fits(line: str) -> bool:
        return length(line, size, mono=mono, bold=bold) <= room

    lines: list[str] = []
    for word in drawable(text).split(" "):
        if lines and fits(f"{lines[-1]} {word}"):
            lines[-1] += f" {word}"
            continue
        rest = word
        while not fits(rest) and len(lines) <= most:
            end = next(end for end in range(2, len(rest) + 1) if not fits(rest[:end])) - 1
            lines.append(rest[:end])
            rest = rest[end:]
        lines.append(rest)
        if len(lines) > most:
            break
    if len(lines) <= most:
        return tuple(lines)
    last = lines[most - 1]
    while not fits(f"{last}…"):
        last = last[:-1]
    return (*lines[: most - 1], f"{last.rstrip()}…")
