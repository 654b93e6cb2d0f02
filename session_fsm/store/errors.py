"""The errors of the store.

::

    SessionFSMError
    +-- StoreError                       the store refuses, or cannot do what was asked
        +-- SessionNotFound              no such session is stored
        +-- SessionExists                a session with this ID is stored already
        +-- StaleSession                 another writer has saved the session since it was read (a ConcurrentChange too)
        +-- IdempotencyConflict          the idempotency key was used for another request
        +-- DocumentUnreadable           the stored document cannot be read as the class
        +-- HistoryMismatch              the stored events do not lead to the stored document
        +-- SchemaOutdated               the tables are missing, or of another version
        +-- StoreUnavailable             the database cannot be reached, is locked, is full, or has failed

A refusal of the session itself (`TransitionRefused`, `InvalidValue`) passes through the store as it is.

No message holds SQL, a password, or anything of a document. The errors of the database driver can hold all three, so
they are not chained: `StoreUnavailable.code` is what identifies them.
"""

from __future__ import annotations

from collections.abc import Iterable

from session_fsm.errors import ConcurrentChange, Problem, SessionFSMError, counted, joined

__all__ = [
    "DocumentUnreadable",
    "HistoryMismatch",
    "IdempotencyConflict",
    "SchemaOutdated",
    "SessionExists",
    "SessionNotFound",
    "StaleSession",
    "StoreError",
    "StoreUnavailable",
    "named",
]


def named(session_id: str, application_id: int | None = None) -> str:
    """Return how messages name a session."""
    return f"session {session_id!r}" + ("" if application_id is None else f" of application {application_id}")


class StoreError(SessionFSMError):
    """The store refuses, or cannot do what was asked; nothing was stored."""

    def __init__(self, session_id: str = "", application_id: int | None = None, *others: object) -> None:
        super().__init__(session_id, application_id, *others)
        self.session_id = session_id
        """The integration ID of the session; empty if it is not about one."""
        self.application_id = application_id
        """The Application of the session, or None."""

    @property
    def _name(self) -> str:
        return named(self.session_id, self.application_id)


class SessionNotFound(StoreError):
    """No such session is stored."""

    _status = 404

    def __str__(self) -> str:
        return f"{self._name} is not in the store"


class SessionExists(StoreError):
    """A session with this ID is stored already."""

    _status = 409

    def __str__(self) -> str:
        return f"{self._name} is in the store already"


class StaleSession(StoreError, ConcurrentChange):
    """Another writer has saved the session since it was read; read it again, and judge again."""

    def __init__(
        self, session_id: str, application_id: int | None = None, read: int = 0, found: int | None = None
    ) -> None:
        super().__init__(session_id, application_id, read, found)
        self.read = read
        """The version (the update count) that was read."""
        self.found = found
        """The version that is stored; None if the session is not stored any more."""

    def __str__(self) -> str:
        there = "it is not stored any more" if self.found is None else f"version {self.found} is stored"
        return f"{self._name}: version {self.read} was read, and {there}"


class IdempotencyConflict(StoreError):
    """The idempotency key was used for another request, or for another session."""

    _status = 400

    def __init__(self, session_id: str, application_id: int | None = None, key: str = "") -> None:
        super().__init__(session_id, application_id, key)
        self.key = key
        """The idempotency key."""

    def __str__(self) -> str:
        return f"{self._name}: the idempotency key {self.key!r} was used for another request"


class DocumentUnreadable(StoreError):
    """The stored document cannot be read as the class of the store."""

    def __init__(
        self, session_id: str, application_id: int | None = None, problems: Iterable[Problem] = (), reason: str = ""
    ) -> None:
        held = tuple(problems)
        super().__init__(session_id, application_id, held, reason)
        self.problems = held
        """The problems of the document. Their texts may hold values of the document; the message shows none."""
        self.reason = reason
        """Why it is not even tried to read it; empty if it has `problems`."""

    def __str__(self) -> str:
        if self.reason:
            return f"{self._name}: the stored document cannot be read: {self.reason}"
        places = joined((problem.pointer or "the whole" for problem in self.problems), ", ")
        return (
            f"{self._name}: the stored document cannot be read: {counted(len(self.problems), 'problem')}, at {places}"
        )


class HistoryMismatch(StoreError):
    """The stored events do not lead to the stored document."""

    def __init__(self, session_id: str, application_id: int | None = None, problem: str = "") -> None:
        super().__init__(session_id, application_id, problem)
        self.problem = problem
        """What differs, in words, without values."""

    def __str__(self) -> str:
        return f"{self._name}: {self.problem}"


class SchemaOutdated(StoreError):
    """The tables of the store are missing, or those of an older or newer version of the library."""

    def __init__(self, found: str | None, expected: str, url: str = "URL") -> None:
        super().__init__()
        self.args = (found, expected, url)
        self.found = found
        """The version of the tables; None if there are none."""
        self.expected = expected
        """The version that this library works with."""
        self.url = url
        """The address of the database, without its password."""

    def __str__(self) -> str:
        if self.found is None:
            return (
                f"the store {self.url} has no tables; call create_schema(), or run: session-fsm store init {self.url}"
            )
        if self.found < self.expected:
            return (
                f"the tables of the store {self.url} have version {self.found}, and version {self.expected} is needed; "
                f"run: session-fsm store upgrade {self.url}"
            )
        return (
            f"the tables of the store {self.url} have version {self.found}, which this library does not know "
            f'(it knows {self.expected}); run: pip install --upgrade "session-fsm[store]"'
        )


class StoreUnavailable(StoreError):
    """The database cannot be reached, is locked, is full, or has failed; nothing was stored unless `unknown`."""

    _status = 503

    def __init__(
        self,
        reason: str,
        code: str = "",
        session_id: str = "",
        retryable: bool = False,  # noqa: FBT001, FBT002 - unpickling passes arguments by position
        unknown: bool = False,  # noqa: FBT001, FBT002 - as above
    ) -> None:
        super().__init__(session_id)
        self.args = (reason, code, session_id, retryable, unknown)
        self.reason = reason
        """Why, in words."""
        self.code = code
        """The error code of the database (an SQLSTATE, or a name of SQLite), or the class of the driver's error."""
        self.retryable = retryable
        """Whether the same may succeed when it is done again: a deadlock, a serialization failure, a lost connection."""
        self.unknown = unknown
        """Whether the connection was lost during the commit, so that nobody knows whether the change is stored.

        Repeat it with an idempotency key, or read the session.
        """

    def __str__(self) -> str:
        about = f"session {self.session_id!r}: " if self.session_id else ""
        unknown = "; whether the change is stored is unknown" if self.unknown else ""
        code = f" [{self.code}]" if self.code else ""
        return f"{about}{self.reason}{code}{unknown}"
