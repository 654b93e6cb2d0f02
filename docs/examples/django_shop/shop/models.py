"""The tables, and how a session is found, locked and saved."""

from django.db import IntegrityError, models, transaction

from session_fsm import SessionEvent, State
from shop.fields import WireField
from shop.sessions import ShopSession

__all__ = ["ParallelWrite", "StoredEvent", "StoredSession"]


class ParallelWrite(Exception):
    """Somebody else has saved the session since it was read."""

    def __init__(self) -> None:
        super().__init__("Too many requests are updating this session at the same time")


class StoredSessions(models.Manager["StoredSession"]):
    """How sessions come out of the table and back into it."""

    def find(self, session_id: str, *, lock: bool = False) -> ShopSession | None:
        """Return the session, or None where there is none.

        Args:
            session_id: the integration ID.
            lock: keep others from changing it until the transaction ends, where the database has row locks.
        """
        rows = self.select_for_update() if lock else self
        row = rows.filter(integration_id=session_id).first()
        return row.session if row else None

    def keep(self, session: ShopSession) -> None:
        """Save what has happened to *session* since it was found or created, all of it or nothing.

        Every event counts one update, so the count that was read is the present one less the pending events.

        Raises:
            ParallelWrite: somebody else has saved it meanwhile, because the database has no row locks, or because
                it was found without one, or because both have created it.
        """
        events = session.pending_events
        found = session.update_count - len(events)
        values = {"session": session, "state": session.state, "update_count": session.update_count}
        with transaction.atomic():
            if found == 0:
                try:
                    with transaction.atomic():
                        self.create(integration_id=session.integration_id, **values)
                except IntegrityError:
                    raise ParallelWrite from None
            elif not self.filter(integration_id=session.integration_id, update_count=found).update(**values):
                raise ParallelWrite
            StoredEvent.objects.bulk_create(
                StoredEvent(integration_id=event.session_id, update_count=event.update_count, event=event)
                for event in events
            )
        session.take_events()


class StoredSession(models.Model):
    """A session as JSON, and beside it what the database has to find, count and compare."""

    integration_id = models.CharField(max_length=1000, unique=True)
    state = models.CharField(max_length=20, choices=[(str(state), str(state)) for state in State])
    update_count = models.PositiveBigIntegerField()
    session = WireField(ShopSession)

    objects = StoredSessions()

    def __str__(self) -> str:
        return repr(self.session)


class StoredEvent(models.Model):
    """One thing that happened to a session."""

    integration_id = models.CharField(max_length=1000)
    update_count = models.PositiveBigIntegerField()
    event = WireField(SessionEvent)

    class Meta:
        """Events stand in the order in which they happened."""

        ordering = ("integration_id", "update_count")
        constraints = (
            models.UniqueConstraint(fields=("integration_id", "update_count"), name="one_event_for_each_count"),
        )

    def __str__(self) -> str:
        return f"{self.integration_id}: {self.event.name}"
