"""Text that may be drawn: on one line, and without characters that change what stands around them.

Titles, rule codes, rule texts, class names and reasons are other people's. The model holds them in this form, so
that renderers need to think of the syntax of their format alone.
"""

from __future__ import annotations

import re

__all__ = ["drawable"]

_NONCHARACTERS = "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
_UNDRAWABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # controls, which XML and terminals forbid
    "\u202a-\u202e\u2066-\u2069"  # what reorders the text after it, beyond the label; letters order themselves
    f"\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}]"  # what no encoding, or no document, may hold
)


def drawable(text: str) -> str:
    """Return *text* on one line, with a replacement character for each character that cannot be drawn."""
    return _UNDRAWABLE.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))
