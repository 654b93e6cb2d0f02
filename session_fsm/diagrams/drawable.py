"""`drawable` removes line breaks, control characters and bidirectional overrides from text.

Titles, rule codes, rule texts, class names and reasons come from users. `session_fsm.diagrams.model` passes them
through `drawable`, so that a renderer escapes only the syntax of its format.
"""

from __future__ import annotations

import re

__all__ = ["drawable"]

_NONCHARACTERS = "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
_UNDRAWABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters: XML and terminals do not accept them
    "\u202a-\u202e\u2066-\u2069"  # bidirectional controls: they reorder text beyond the label
    f"\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}]"  # surrogates and noncharacters
)


def drawable(text: str) -> str:
    """Return *text* on one line, with a replacement character for each character that cannot be drawn."""
    return _UNDRAWABLE.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))
