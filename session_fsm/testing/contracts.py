"""The contract that a rule must keep: pure, deterministic, total, documented, and answering for itself alone.

A service holds its rule to it in three lines, which pytest collects as they are:

>>> from session_fsm import CustomerSession
>>> from session_fsm.rules import coupon_code_required
>>> from session_fsm.testing import RuleContract
>>> class ShopSession(CustomerSession):
...     rules = (*CustomerSession.rules, coupon_code_required)
>>> class TestCouponCodeRequired(RuleContract):
...     rule = coupon_code_required
...     kind = ShopSession

Where nothing but `unittest.TestCase` is collected, as by ``python -m unittest`` and Django's ``manage.py test``, it is
another base: ``class TestCouponCodeRequired(RuleContract, unittest.TestCase)``, or ``RuleContract.TestCase`` of a
subclass. Every clause is a test of its own. What breaks one is short_code as Python to paste.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from copy import deepcopy
from io import StringIO
from typing import Any, ClassVar

from attrs import evolve, field, fields, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from session_fsm.decisions import Answer, Rule
from session_fsm.entities import contents
from session_fsm.errors import Violation
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.rule_inputs import RuleInputs, call_rule, inputs_of
from session_fsm.testing.steps import Step, Story
from session_fsm.testing.strategies.sessions import stories
from session_fsm.testing.strategies.values import built, returns, updates
from session_fsm.testing.test_classes import AsTestCase, hold, patient
from session_fsm.validators import is_list, is_object, wire_name
from session_fsm.values import CartItem, ReturnedCartItem, SessionUpdate
from session_fsm.wire import ReturnRequest, unstructure

__all__ = ["RuleContract"]

_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_WATCHED = (
    "open",
    "socket.",
    "subprocess.",
    "os.",
    "sqlite3.",
    "urllib.",
    "ftplib.",
    "smtplib.",
    "shutil.",
    "tempfile.",
)
"""Audit events of Python that stand for input and output."""


@frozen(repr=False)
class _Case:
    """A session that has lived a story, and a step that it is asked to take."""

    story: Story
    step: Step
    kind: type[CustomerSession]
    own: Mapping[str, Any] = field(factory=dict[str, Any])

    def inputs(self) -> RuleInputs:
        """Return what the rules would look at, made anew."""
        session = self.story.play(self.kind) if self.story.steps else None
        made = inputs_of(self.step, session, self.kind, self.story.end, self.own)
        hold(made is not None, "the case was drawn for a transition that exists")
        return made  # type: ignore[return-value]  # pyright: ignore[reportReturnType]  # `hold` has input_value to it

    def __repr__(self) -> str:
        """Return the case as Python to paste."""
        lines = [self.story.code(self.kind.__name__)] if self.story.steps else []
        return "\n".join([*lines, self.step.code(self.kind.__name__, self.own)])

    def _repr_pretty_(self, printer: Any, _: bool) -> None:  # noqa: FBT001 - the signature is that of IPython
        printer.text(repr(self))


class RuleContract:
    """The tests of a rule: subclass it, and say which one as `rule`, and the session class as `kind`."""

    rule: ClassVar[Rule]
    """The rule under test."""
    kind: ClassVar[type[CustomerSession]] = CustomerSession
    """A class whose sessions have the fields that the rule asks for; it need not list the rule."""
    own: ClassVar[Mapping[str, Any]] = {}
    """What a creation gives to the fields that the class adds."""
    changes: ClassVar[st.SearchStrategy[SessionUpdate] | None] = None
    """Draws what creations, updates and closings are given; None for any changes."""
    settings: ClassVar[settings] = patient(max_examples=40)
    """How Hypothesis draws the cases: as the loaded profile says; 40 of them where it does not."""
    TestCase: ClassVar[Any] = AsTestCase()
    """The class as a `unittest.TestCase`."""

    def test_is_documented(self) -> None:
        """The first line of the docstring says the rule as a sentence, and the code is in snake_case."""
        __tracebackhide__ = True
        rule = self.rule
        hold(rule.text[:1].isupper(), f"{rule.name}: the docstring does not begin as a sentence: {rule.text!r}")
        hold(
            rule.text.endswith("."), f"{rule.name}: the first line of the docstring is no whole sentence: {rule.text!r}"
        )
        hold(_SNAKE_CASE.fullmatch(rule.code), f"{rule.name}: the code {rule.code!r} is not in snake_case")

    def test_guards_a_transition(self) -> None:
        """The table has a transition that the rule guards, and the class has the fields that it asks for."""
        __tracebackhide__ = True
        hold(self._rows(), f"{self.rule.code} guards no transition of {self.kind.__name__}")
        type(self.kind.__name__, (self.kind,), {"rules": (self.rule,)})  # raises for a field that does not exist

    def test_never_raises(self) -> None:
        """Total: the rule answers whatever the session holds and whatever is asked."""
        __tracebackhide__ = True
        self._prove(self._answered)

    def test_answers_as_a_rule_may(self) -> None:
        """A boolean, None, or violations: with its own code, a message, and a pointer to a place that exists."""
        __tracebackhide__ = True
        self._prove(self._well_answered)

    def test_answers_the_same_twice(self) -> None:
        """Deterministic: asked twice, and asked about an equal copy, the rule answers the same."""
        __tracebackhide__ = True
        self._prove(self._answered_again)

    def test_changes_nothing(self) -> None:
        """Pure: the session, what it would be, and what was asked are the same afterwards."""
        __tracebackhide__ = True
        self._prove(self._unchanged)

    def test_reads_and_writes_nothing(self) -> None:
        """Pure: the rule opens no file and no connection, starts no process and prints nothing."""
        __tracebackhide__ = True
        self._prove(self._silent)

    # --- The clauses --------------------------------------------------------------------------------------------------

    def _answered(self, case: _Case) -> None:
        try:
            _answer(self.rule, case.inputs())
        except _Raised as raised:
            error = raised.__cause__
            raise AssertionError(f"it raised {type(error).__name__}: {error}") from error

    def _well_answered(self, case: _Case) -> None:
        inputs = case.inputs()
        for violation in _violations(self.rule, inputs):
            hold(violation.message.strip(), "a violation has no message")
            if violation.pointer is not None:
                documents = [_document(inputs.change), unstructure(inputs.after)]
                found = any(_exists(document, violation.pointer) for document in documents)
                hold(found, f"the pointer {violation.pointer!r} leads nowhere, in what was asked and in the session")

    def _answered_again(self, case: _Case) -> None:
        inputs = case.inputs()
        first, again, copied = (_answer(self.rule, one) for one in (inputs, inputs, case.inputs()))
        hold(first == again, f"asked twice, it answered {first!r}, then {again!r}")
        hold(first == copied, f"asked about an equal session, it answered {copied!r} instead of {first!r}")

    def _unchanged(self, case: _Case) -> None:
        inputs = case.inputs()
        before = deepcopy(_held(inputs))
        _answer(self.rule, inputs)
        changed = [name for name, value in _held(inputs).items() if value != before[name]]
        hold(not changed, f"it changed {', '.join(changed)}")

    def _silent(self, case: _Case) -> None:
        _answer(self.rule, case.inputs())  # what it imports, it imports now
        inputs = case.inputs()
        with _listening() as heard:
            _answer(self.rule, inputs)
        hold(not heard, f"it did input or output: {', '.join(dict.fromkeys(heard))}")

    # --- The cases ----------------------------------------------------------------------------------------------------

    def _rows(self) -> list[Any]:
        return [row for row in self.kind.machine.table if self.rule.guards(row.trigger, row.target)]

    def _prove(self, clause: Callable[[_Case], None]) -> None:
        """Check *clause* in many cases, and say what the rule did wrong in the simplest one in which it fails."""
        __tracebackhide__ = True

        @self.settings
        @given(case=self._cases())
        def prove(case: _Case) -> None:
            __tracebackhide__ = True
            try:
                clause(case)
            except _Raised:
                return  # a case for `test_never_raises` alone
            except AssertionError as broken:
                raise AssertionError(
                    f"the rule {self.rule.code} ({self.rule.name}): {broken}\n\n{case!r}"
                ) from broken.__cause__

        prove()

    def _cases(self) -> st.SearchStrategy[_Case]:
        """Draw sessions in every state in which the rule is asked, and whatever may be asked then."""
        rows = self._rows()
        hold(rows, f"{self.rule.code} guards no transition of {self.kind.__name__}")
        return st.sampled_from(rows).flatmap(self._cases_of)

    def _cases_of(self, row: Any) -> st.SearchStrategy[_Case]:
        own = dict(self.own)
        changes = updates() if self.changes is None else self.changes
        lives = (
            st.just(Story.of(own=own))
            if row.source is None
            else stories(self.kind, row.source, own=own, changes=self.changes)
        )
        arguments: st.SearchStrategy[Any] = st.none()
        if row.trigger is Trigger.CREATE:
            arguments = changes.map(lambda change: _wanting(change, row.target))
        elif row.trigger in (Trigger.UPDATE, Trigger.CLOSE):
            arguments = st.none() | changes
        elif row.trigger is Trigger.RETURN_ITEMS:
            return lives.flatmap(lambda story: _returning(story, self.kind, own))
        return built(
            lambda drawn: _Case(drawn[0], Step(row.trigger, drawn[1]), self.kind, own), st.tuples(lives, arguments)
        )


def _wanting(change: SessionUpdate, state: State) -> SessionUpdate:
    return evolve(change, state=state)


def _returning(story: Story, kind: type[CustomerSession], own: Mapping[str, Any]) -> st.SearchStrategy[_Case]:
    session = story.play(kind)
    possible = any(item.remaining_quantity for item in session.cart_items)
    entries = (returns(session) | returns()) if possible else returns()
    return built(lambda given: _Case(story, Step(Trigger.RETURN_ITEMS, given), kind, own), entries)


class _Raised(Exception):
    """The rule raised instead of answering."""


def _answer(rule: Rule, inputs: RuleInputs) -> Answer:
    """Ask the rule, and return what it answered, what it yields in a list."""
    try:
        answer = call_rule(rule, inputs)
        return list(answer) if isinstance(answer, Iterator) else answer
    except Exception as error:
        raise _Raised from error


def _violations(rule: Rule, inputs: RuleInputs) -> tuple[Violation, ...]:
    """Ask the rule, and return the violations that its answer stands for, which has to be one of those it may give."""
    answer = _answer(rule, inputs)
    if answer is None or answer is True:
        return ()
    try:
        return rule.violations_in(answer)
    except (TypeError, ValueError) as error:
        raise AssertionError(str(error)) from error


def _held(inputs: RuleInputs) -> dict[str, Any]:
    """Return all that a rule could change."""
    sessions = {
        "the session": inputs.session,
        "the session as it would be": inputs.after,
        "the newborn": inputs.origin,
    }
    held: dict[str, Any] = {name: contents(session) for name, session in sessions.items() if session is not None}
    return held | {"what was asked": inputs.change, "the new values": dict(inputs.values)}


def _document(change: Any) -> Any:
    if is_list(change):
        return unstructure(ReturnRequest(returned_cart_items=change))
    return {} if change is None else unstructure(change)


_NAMES = {
    wire_name(attribute.name) for kind in (CustomerSession, CartItem, ReturnedCartItem) for attribute in fields(kind)
}
"""What may be pointed at although it is missing."""


def _exists(document: Any, pointer: str) -> bool:
    """Whether *pointer* leads somewhere in *document*, or to a member that could be there."""
    *way, last = pointer.split("/")[1:] or [""]
    if pointer == "":
        return True
    if not pointer.startswith("/"):
        return False
    for token in (token.replace("~1", "/").replace("~0", "~") for token in way):
        if is_object(document) and token in document:
            document = document[token]
        elif is_list(document) and token.isdecimal() and int(token) < len(document):
            document = document[int(token)]
        else:
            return False
    last = last.replace("~1", "/").replace("~0", "~")
    if is_list(document):
        return last.isdecimal() and int(last) < len(document)
    return is_object(document) and (last in document or last in _NAMES)


# --- Input and output ----------------------------------------------------------------------------------------------

_heard: list[str] = []
_listens = False
_hooked = False


def _hear(event: str, _: Any) -> None:  # pragma: no cover - the interpreter runs its hooks unseen by coverage
    if _listens and event.startswith(_WATCHED):
        _heard.append(event)


@contextmanager
def _listening() -> Generator[list[str]]:
    """Collect the names of what reads or writes inside: Python tells of it by audit events, which cannot be unheard later."""
    global _listens, _hooked  # noqa: PLW0603 - a hook of the interpreter is set once for the whole process
    if not _hooked:
        sys.addaudithook(_hear)
        _hooked = True
    heard: list[str] = []
    _heard.clear()
    printed = StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        _listens = True
        try:
            yield heard
        finally:
            _listens = False
            heard += _heard
            if printed.getvalue():
                heard.append("print")
