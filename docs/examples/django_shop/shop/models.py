"""The tables, and how a session is found, locked and saved."""

from collections.abc import Iterable
from secrets import randbits

from django.db import IntegrityError, models, transaction

from session_fsm import ConcurrentChange, SessionEvent, SessionUpdate, State
from shop.fields import WireField
from shop.sessions import ShopSession

__all__ = ["APPLICATION_ID", "ParallelWrite", "StoredEvent", "StoredSession", "find", "keep", "put", "record"]

APPLICATION_ID = 1
"""Talon.One's clients expect one in every session; this shop has a single Application."""


class StoredSession(models.Model):
    """A session as JSON, and beside it what the database has to find, count and compare."""

    integration_id = models.CharField(max_length=1000, unique=True)
    state = models.CharField(max_length=20, choices=[(str(state), str(state)) for state in State])
    update_count = models.PositiveBigIntegerField()
    session = WireField(ShopSession)

    class Meta:
        """The app that the model belongs to, wherever the class is defined."""

        app_label = "shop"

    def __str__(self) -> str:
        return repr(self.session)


class StoredEvent(models.Model):
    """One thing that happened to a session."""

    integration_id = models.CharField(max_length=1000)
    update_count = models.PositiveBigIntegerField()
    event = WireField(SessionEvent)

    class Meta:
        """Events stand in the order in which they happened."""

        app_label = "shop"
        ordering = ("integration_id", "update_count")
        constraints = (
            models.UniqueConstraint(fields=("integration_id", "update_count"), name="one_event_for_each_count"),
        )

    def __str__(self) -> str:
        return f"{self.integration_id}: {self.event.name}"


class ParallelWrite(ConcurrentChange):
    """Somebody else has saved the session since it was read. The answer is 409."""


def find(session_id: str, *, lock: bool = False) -> ShopSession | None:
    """Return the session, or None where there is none.

    Args:
        session_id: the integration ID.
        lock: keep others from changing it until the transaction ends, where the database has row locks.
    """
    rows = StoredSession.objects.select_for_update() if lock else StoredSession.objects
    row = rows.filter(integration_id=session_id).first()
    return row.session if row else None


def keep(session: ShopSession) -> list[SessionEvent]:
    """Save *session*, unless somebody else has saved it since it was read; return the events that are saved by this.

    Every event counts one update, so the count that was read is the present one less the pending events.

    Raises:
        ParallelWrite: somebody else has saved it, or has created it.
    """
    found = session.update_count - len(session.pending_events)
    values = {"session": session, "state": session.state, "update_count": session.update_count}
    if found == 0:
        try:
            with transaction.atomic():
                StoredSession.objects.create(integration_id=session.integration_id, **values)
        except IntegrityError:
            raise ParallelWrite from None
    elif not StoredSession.objects.filter(integration_id=session.integration_id, update_count=found).update(**values):
        raise ParallelWrite
    return session.take_events()


def record(events: Iterable[SessionEvent]) -> None:
    """Save *events*, in the transaction that saves their session."""
    StoredEvent.objects.bulk_create(
        StoredEvent(integration_id=event.session_id, update_count=event.update_count, event=event) for event in events
    )


def put(session_id: str, change: SessionUpdate) -> ShopSession:
    """Create, update, close or cancel a session, as the state in *change* says, and save it with its events."""
    with transaction.atomic():
        session = find(session_id, lock=True)
        if session is None:
            session = ShopSession.create(session_id, change, id=randbits(53), application_id=APPLICATION_ID)
        else:
            session.put(change)
        record(keep(session))
    return session
