"""A Hypothesis state machine that drives a session class through everything, beside an independent reference.

A service proves its own class in a few lines, which pytest collects as they are::

    class TestShopSession(SessionMachine):
        kind = ShopSession

What may be added: ``own`` (what a creation gives to added fields), ``changes`` (a strategy of updates, for rules
that want something special), ``settings`` (of Hypothesis), and rules and invariants, as on any state machine of
Hypothesis::

        @rule()
        def ship(self):
            self.pull("close")

        @invariant()
        def an_order_has_a_customer(self):
            assert self.session.state != "closed" or self.session.profile_id

A rule moves ``self.session`` by `SessionMachine.pull` and `SessionMachine.put` alone, so that the reference goes along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from datetime import datetime, timedelta
from pickle import dumps as pickled
from pickle import loads as unpickled
from typing import Any, ClassVar

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from session_fsm import wire
from session_fsm.entities import contents
from session_fsm.errors import InvalidValue, TransitionRefused, WrongState
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.invalid import Planted, invalid_operations, invalid_updates
from session_fsm.testing.lives import operations
from session_fsm.testing.reference import Reference, Verdict
from session_fsm.testing.steps import BEGINNING, Step
from session_fsm.testing.strategies import returns, updates
from session_fsm.values import UNSET, SessionUpdate

__all__ = ["SessionMachine"]
