"""The models, and functions that read, lock and save a session."""

from collections.abc import Iterable
from secrets import randbits

from django.db import IntegrityError, models, transaction

from session_fsm import ConcurrentChange, SessionEvent, SessionUpdate, State
from session_fsm.django import EventField, SessionField
from shop.sessions import ShopSession

__all__ = ["APPLICATION_ID", "ParallelWrite", "StoredEvent", "StoredSession", "find", "keep", "put", "save_events"]

APPLICATION_ID = 1
"""Talon.One's clients require one in every session; this shop has a single Application."""


class StoredSession(models.Model):
    """A session as JSON, with columns for queries and optimistic locking."""

    integration_id = models.CharField(max_length=1000, unique=True)
    state = models.CharField(max_length=20, choices=[(str(state), str(state)) for state in State])
    update_count = models.PositiveBigIntegerField()
    session = SessionField(ShopSession)

    class Meta:
        """The app of the model."""

        app_label = "shop"

    def __str__(self) -> str:
        return repr(self.session)


class StoredEvent(models.Model):
    """One event of a session."""

    integration_id = models.CharField(max_length=1000)
    update_count = models.PositiveBigIntegerField()
    event = EventField(ShopSession)

    class Meta:
        """Ordered by session and update count."""

        app_label = "shop"
        ordering = ("integration_id", "update_count")
        constraints = (
            models.UniqueConstraint(fields=("integration_id", "update_count"), name="one_event_for_each_count"),
        )

    def __str__(self) -> str:
        return f"{self.integration_id}: {self.event.name}"


class ParallelWrite(ConcurrentChange):
    """The session was saved by another writer since it was read; the status is 409."""


def find(session_id: str, *, lock: bool = False) -> ShopSession | None:
    """Return the session, or None.

    Args:
        session_id: the integration ID.
        lock: lock the row until the transaction ends, if the database has row locks.
    """
    rows = StoredSession.objects.select_for_update() if lock else StoredSession.objects
    row = rows.filter(integration_id=session_id).first()
    return row.session if row else None


def keep(session: ShopSession) -> list[SessionEvent]:
    """Save *session* and return its pending events.

    Every event adds 1 to the update count, so the stored count is the current one minus the pending events.

    Raises:
        ParallelWrite: another writer has saved or created it since it was read.
    """
    stored_count = session.update_count - len(session.pending_events)
    values = {"session": session, "state": session.state, "update_count": session.update_count}
    if stored_count == 0:
        try:
            with transaction.atomic():
                StoredSession.objects.create(integration_id=session.integration_id, **values)
        except IntegrityError:
            raise ParallelWrite from None
    elif not StoredSession.objects.filter(integration_id=session.integration_id, update_count=stored_count).update(
        **values
    ):
        raise ParallelWrite
    return session.take_events()


def save_events(events: Iterable[SessionEvent]) -> None:
    """Save *events*. Call it in the transaction that saves their session."""
    StoredEvent.objects.bulk_create(
        StoredEvent(integration_id=event.session_id, update_count=event.update_count, event=event) for event in events
    )


def put(session_id: str, change: SessionUpdate) -> ShopSession:
    """Create, update, close or cancel a session, depending on the state in *change*, and save it with its events."""
    with transaction.atomic():
        session = find(session_id, lock=True)
        if session is None:
            session = ShopSession.create(session_id, change, id=randbits(53), application_id=APPLICATION_ID)
        else:
            session.put(change)
        save_events(keep(session))
    return session
