"""Texts of the user as the database stores them: keys of limited length, and text without NUL.

PostgreSQL stores no NUL in a text, and no index entry above 2,704 bytes; an integration ID may hold any character and
have 4,000 bytes. A backslash and NUL are escaped, and a long key is replaced by its SHA-256.
"""

from __future__ import annotations

from hashlib import sha256

__all__ = ["escaped", "is_storable", "session_key", "short_key", "unescaped"]

_LONGEST = 500
"""The largest number of bytes of a key that is stored as it is."""


def escaped(text: str) -> str:
    r"""Return *text* without NUL: a backslash becomes ``\\``, and NUL becomes ``\0``."""
    if "\\" not in text and "\0" not in text:
        return text
    return text.replace("\\", "\\\\").replace("\0", "\\0")


def unescaped(text: str) -> str:
    """Return the text that `escaped` was given."""
    if "\\" not in text:
        return text
    return "\\".join(part.replace("\\0", "\0") for part in text.split("\\\\"))


def short_key(text: str) -> str:
    r"""Return *text* escaped, or ``\#`` and its SHA-256 if it is long. No other text has the same key."""
    key = escaped(text)
    if len(key) * 4 <= _LONGEST:
        return key
    encoded = key.encode("utf-8", "surrogatepass")
    return key if len(encoded) <= _LONGEST else f"\\#{sha256(encoded).hexdigest()}"


def session_key(session_id: str, application_id: int | None) -> str:
    """Return the unique key of a session: the Application (nothing if there is none), a colon, and the integration ID."""
    return f"{'' if application_id is None else application_id}:{short_key(session_id)}"


def is_storable(text: str) -> bool:
    """Whether *text* can be encoded as UTF-8. No session has an ID that cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
