"""Any sequence of operations through the store leaves the same session as without it, and as the reference model says."""

from typing import Any

import pytest
from builders import EveryRuleSession, TenantSession
from hypothesis.stateful import invariant, rule

from session_fsm import CustomerSession, InvalidValue, SessionEvent, TransitionRefused, wire
from session_fsm.store import SessionStore
from session_fsm.testing import SessionMachine
from session_fsm.testing.test_classes import relaxed_settings


class _StoredMachine(SessionMachine):
    """The state machine of the testing kit. Each verb that it calls is called on the stored session as well."""

    settings = relaxed_settings(max_examples=12, stateful_step_count=12)
    stores: list[SessionStore[Any]]

    def _begin(self, step: Any) -> None:
        super()._begin(step)
        self.teardown()
        self.stores = [SessionStore("sqlite://", self.kind)]
        self.stores[0].create_schema()
        self.stores[0].add(
            wire.loads(wire.dumps(self.session), self.kind) if step.argument is None else self._copy(step)
        )
        self.check_the_stored_session()

    def _copy(self, step: Any) -> CustomerSession:
        return step.take(None, self.kind, self.session.created, **self.own)[0]

    def teardown(self) -> None:
        for store in getattr(self, "stores", []):
            store.close()

    def _call(self, verdict: Any, change: Any, verb: Any, given: Any, **keywords: Any) -> SessionEvent | None:
        event = super()._call(verdict, change, verb, given, **keywords)
        (store,) = self.stores

        def act(session: CustomerSession) -> SessionEvent:
            return getattr(session, verb.__name__)(*given, now=None if event is None else event.at)

        if event is None:
            with pytest.raises((TransitionRefused, InvalidValue)):
                store.change("order-1", act)
        else:
            assert store.change("order-1", act) == event
        return event

    @rule()
    def verify(self) -> None:
        assert [one.problem for one in self.stores[0].verify()] == [""]

    @invariant()
    def check_the_stored_session(self) -> None:
        for store in getattr(self, "stores", []):
            assert wire.dumps(store.get("order-1")) == wire.dumps(self.session)
            assert wire.dumps(store.rebuild("order-1")) == wire.dumps(self.session)


class TestPlainSession(_StoredMachine):
    kind = CustomerSession


class TestSessionWithEveryRule(_StoredMachine):
    kind = EveryRuleSession


class TestSessionWithOwnFields(_StoredMachine):
    kind = TenantSession
    own = {"tenant": "acme"}


del _StoredMachine
