"""Text for pictures: escaped, measured, wrapped, cut.

Nobody knows the reader's font, so widths are estimates on the wide side. They depend on nothing but the
characters, so that a text is wrapped alike everywhere.
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
"""How wide characters are in a broad font, in ems."""


def escape(text: str) -> str:
    """Return *text* on one line, as content of an element or of an attribute in double quotes, in XML and in HTML."""
    text = drawable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")


def attributes(**values: object) -> str:
    """Return *values* as attributes, each after a space.

    None leaves one out. In a name ``_`` stands for ``-``, and at its end, where Python reserves the name, for nothing.
    """
    return "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in values.items()
        if value is not None
    )


def length(text: str, size: int, *, mono: bool = False, bold: bool = False) -> float:
    """Return how wide *text* is at most, in pixels, at a font size of *size* pixels."""
    ems = sum(_ems(character, mono=mono) for character in text)
    return ems * size * (1.14 if bold and not mono else 1)


def _ems(character: str, *, mono: bool) -> float:
    if character >= "\u1100" and not "\u2010" <= character <= "\u2193":  # ideographs, emoji and whatever else is broad
        return 1.3
    if mono:
        return 0.61
    return _EMS.get(character, 0.72 if character.isupper() else 0.65)


def wrap(text: str, room: int, size: int, *, most: int, mono: bool = False, bold: bool = False) -> tuple[str, ...]:
    """Break *text* into lines that fit into *room* pixels; what exceeds *most* lines is cut, with an ellipsis."""

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
