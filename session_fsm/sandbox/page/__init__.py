"""The page of a sandbox: one self-contained HTML document, whose content security policy allows nothing from elsewhere.

The script builds the document with text nodes alone, so no text of a session can become markup.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from session_fsm.diagrams.svg.paint import COLOURS, SANS

__all__ = ["PAGE", "POLICY"]


def _resource(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _colours() -> str:
    """Return the colours of the diagrams as custom properties."""
    light, dark = ("".join(f"--{name}:{pair[theme]};" for name, pair in COLOURS.items()) for theme in (0, 1))
    return f":root{{{light}--sans:{SANS}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


_STYLE = _colours() + _resource("page.css")
_SCRIPT = _resource("page.js")

PAGE = _resource("page.html").replace("/*style*/", _STYLE).replace("/*script*/", _SCRIPT)
"""The document."""
POLICY = (
    f"default-src 'none'; script-src {_hash(_SCRIPT)}; style-src {_hash(_STYLE)}; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The content security policy, which the server sends with it."""
