"""`Handing`: one batch of messages on its way to the publisher, and what became of each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

from attrs import define, field

from session_fsm.store.errors import named
from session_fsm.store.messages import Message
from session_fsm.store.outbox_operations import Outcome

__all__ = ["Handing"]

_log = logging.getLogger("session_fsm.store")


@define
class Handing:
    """The messages of a batch, in order; those of a session wait behind one that was not published."""

    messages: Sequence[Message]
    has_ended: Callable[[], bool]
    """Whether the relay is to end before the next message."""
    outcomes: list[Outcome] = field(factory=list[Outcome])
    interrupted: BaseException | None = None
    """What is to be raised once the outcomes are stored."""
    _waiting: set[int] = field(factory=set[int])

    def __iter__(self) -> Iterator[Message]:
        for message in self.messages:
            if self.interrupted is not None or self.has_ended():
                return
            if message.number not in self._waiting:
                yield message

    def published(self, message: Message) -> None:
        """Note that *message* is published."""
        self.outcomes.append(Outcome(message))

    def raised(self, message: Message, error: BaseException) -> None:
        """Note what publishing *message* raised. What is no `Exception` ends the relay."""
        if not isinstance(error, Exception):
            self.interrupted = error
            return
        self._waiting.add(message.number)
        self.outcomes.append(Outcome(message, type(error).__qualname__))
        about = named(message.session_id, message.application_id)
        text = "%s: publishing message %s raised %s (attempt %d)"
        facts = {"session_id": message.session_id, "message_id": message.id, "attempts": message.attempts + 1}
        _log.warning(text, about, message.id, type(error).__qualname__, message.attempts + 1, extra=facts)
