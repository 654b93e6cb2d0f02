"""`RuleContract`: tests that a rule is documented, total, deterministic and pure, and returns valid answers.

A service tests its rule in three lines, which pytest collects:

>>> from session_fsm import CustomerSession
>>> from session_fsm.rules import coupon_code_required
>>> from session_fsm.testing import RuleContract
>>> class ShopSession(CustomerSession):
...     rules = (*CustomerSession.rules, coupon_code_required)
>>> class TestCouponCodeRequired(RuleContract):
...     rule = coupon_code_required
...     kind = ShopSession

For ``python -m unittest`` and Django's ``manage.py test``, add the base class `unittest.TestCase`:
``class TestCouponCodeRequired(RuleContract, unittest.TestCase)``, or use ``RuleContract.TestCase`` of a subclass.
Every clause is a separate test. A failure shows its case as Python to paste.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from copy import deepcopy
from io import StringIO
from typing import TYPE_CHECKING, Any, ClassVar, Never

from attrs import evolve, field, fields, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from session_fsm.entities import contents
from session_fsm.errors import Violation
from session_fsm.guards import Answer, Rule
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.rule_inputs import RuleInputs, call_rule, inputs_of
from session_fsm.testing.steps import Contexts, Step, Story, contexts_of
from session_fsm.testing.strategies.sessions import stories
from session_fsm.testing.strategies.values import built, returns, updates
from session_fsm.testing.test_classes import AsTestCase, check, relaxed_settings
from session_fsm.validators import is_list, is_object, wire_name
from session_fsm.values import CartItem, ReturnedCartItem, SessionUpdate
from session_fsm.wire import ReturnRequest, unstructure

__all__ = ["RuleContract"]

_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_IO_EVENTS = (
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
"""Prefixes of Python's audit events for input and output."""


@frozen(repr=False)
class _Case:
    """A story, and the step for which the rule is called."""

    story: Story
    step: Step
    kind: type[CustomerSession]
    own: Mapping[str, Any] = field(factory=dict[str, Any])

    def inputs(self) -> RuleInputs:
        """Return newly created inputs of the rule."""
        session = self.story.play(self.kind) if self.story.steps else None
        inputs = inputs_of(self.step, session, self.kind, self.story.end, self.own)
        check(inputs is not None, "the case was drawn for a transition that exists")
        return inputs  # type: ignore[return-value]  # pyright: ignore[reportReturnType]  # not None after `check`

    def __repr__(self) -> str:
        """Return the case as Python to paste."""
        lines = [self.story.code(self.kind.__name__)] if self.story.steps else []
        return "\n".join([*lines, self.step.code(self.kind.__name__, self.own)])

    def _repr_pretty_(self, printer: Any, _: bool) -> None:  # noqa: FBT001 - the signature is that of IPython
        printer.text(repr(self))


class RuleContract:
    """The tests of a rule: subclass it and set `rule` and `kind`."""

    rule: ClassVar[Rule]
    """The rule under test."""
    kind: ClassVar[type[CustomerSession]] = CustomerSession
    """A session class with the fields that the rule takes; it need not list the rule."""
    own: ClassVar[Mapping[str, Any]] = {}
    """What a creation gives to the fields that the class adds."""
    context: ClassVar[Contexts] = None
    """The ``context=`` of the calls, for a rule that reads it, or a list of several; it is called without one too."""
    changes: ClassVar[st.SearchStrategy[SessionUpdate] | None] = None
    """Draws the changes of creations, updates and closings; None for any changes."""
    settings: ClassVar[settings] = relaxed_settings(max_examples=40)
    """The Hypothesis settings: those of the loaded profile, by default with 40 examples."""
    TestCase: ClassVar[Any] = AsTestCase()
    """The class as a `unittest.TestCase`."""

    if not TYPE_CHECKING:  # pragma: no branch - type checkers would take any attribute for a known one

        def __getattr__(self, name: str) -> Never:
            """Say what is missing if the class has no `rule`; Python calls this only for unknown attributes."""
            needed = " needs rule = your_rule" if name == "rule" else f" has no attribute {name!r}"
            raise AttributeError(f"{type(self).__name__}{needed}", name=name, obj=self)

    def test_is_documented(self) -> None:
        """The first line of the docstring is a sentence, and the code is in snake_case."""
        __tracebackhide__ = True
        rule = self.rule
        check(rule.text[:1].isupper(), f"{rule.name}: the docstring does not begin as a sentence: {rule.text!r}")
        check(
            rule.text.endswith("."), f"{rule.name}: the first line of the docstring is no whole sentence: {rule.text!r}"
        )
        check(_SNAKE_CASE.fullmatch(rule.code), f"{rule.name}: the code {rule.code!r} is not in snake_case")

    def test_guards_a_transition(self) -> None:
        """The table has a transition that the rule guards, and the class has the fields that it takes."""
        __tracebackhide__ = True
        check(self._rows(), f"{self.rule.code} guards no transition of {self.kind.__name__}")
        type(self.kind.__name__, (self.kind,), {"rules": (self.rule,)})  # raises for a field that does not exist

    def test_never_raises(self) -> None:
        """Total: the rule returns for any session and any argument."""
        __tracebackhide__ = True
        self._prove(self._check_total)

    def test_answers_as_a_rule_may(self) -> None:
        """The answer is a boolean, None, or violations with the rule's code, a message, and a pointer that exists."""
        __tracebackhide__ = True
        self._prove(self._check_answer)

    def test_answers_the_same_twice(self) -> None:
        """Deterministic: the rule returns the same again, and for an equal session."""
        __tracebackhide__ = True
        self._prove(self._check_deterministic)

    def test_changes_nothing(self) -> None:
        """Pure: the session before, the session after and the argument do not change."""
        __tracebackhide__ = True
        self._prove(self._check_pure)

    def test_reads_and_writes_nothing(self) -> None:
        """Pure: the rule opens no file and no connection, starts no process and prints nothing."""
        __tracebackhide__ = True
        self._prove(self._check_no_io)

    # --- The clauses --------------------------------------------------------------------------------------------------

    def _check_total(self, case: _Case) -> None:
        try:
            _answer(self.rule, case.inputs())
        except _Raised as raised:
            error = raised.__cause__
            raise AssertionError(f"it raised {type(error).__name__}: {error}") from error

    def _check_answer(self, case: _Case) -> None:
        inputs = case.inputs()
        for violation in _violations(self.rule, inputs):
            check(violation.message.strip(), "a violation has no message")
            if violation.pointer is not None:
                documents = [_document(inputs.change), unstructure(inputs.after)]
                found = any(_exists(document, violation.pointer) for document in documents)
                check(found, f"the pointer {violation.pointer!r} exists neither in the argument nor in the session")

    def _check_deterministic(self, case: _Case) -> None:
        inputs = case.inputs()
        first, again, copied = (_answer(self.rule, one) for one in (inputs, inputs, case.inputs()))
        check(first == again, f"called twice, it returned {first!r}, then {again!r}")
        check(first == copied, f"for an equal session, it returned {copied!r} instead of {first!r}")

    def _check_pure(self, case: _Case) -> None:
        inputs = case.inputs()
        before = deepcopy(_mutable_contents(inputs))
        _answer(self.rule, inputs)
        changed = [name for name, value in _mutable_contents(inputs).items() if value != before[name]]
        check(not changed, f"it changed {', '.join(changed)}")

    def _check_no_io(self, case: _Case) -> None:
        _answer(self.rule, case.inputs())  # a first call, so that its imports are done
        inputs = case.inputs()
        with _recorded_io() as events:
            _answer(self.rule, inputs)
        check(not events, f"it did input or output: {', '.join(dict.fromkeys(events))}")

    # --- The cases ----------------------------------------------------------------------------------------------------

    def _rows(self) -> list[Any]:
        return [row for row in self.kind.machine.table if self.rule.guards(row.trigger, row.target)]

    def _prove(self, clause: Callable[[_Case], None]) -> None:
        """Check *clause* in many cases, and report the shrunk case in which it fails."""
        __tracebackhide__ = True

        @self.settings
        @given(case=self._cases())
        def prove(case: _Case) -> None:
            __tracebackhide__ = True
            try:
                clause(case)
            except _Raised:
                return  # only `test_never_raises` reports it
            except AssertionError as broken:
                raise AssertionError(
                    f"the rule {self.rule.code} ({self.rule.name}): {broken}\n\n{case!r}"
                ) from broken.__cause__

        prove()

    def _cases(self) -> st.SearchStrategy[_Case]:
        """Draw cases for every transition that the rule guards."""
        rows = self._rows()
        check(rows, f"{self.rule.code} guards no transition of {self.kind.__name__}")
        return st.sampled_from(rows).flatmap(self._cases_of)

    def _cases_of(self, row: Any) -> st.SearchStrategy[_Case]:
        own = dict(self.own)
        changes = updates() if self.changes is None else self.changes
        histories = (
            st.just(Story.of(own=own))
            if row.source is None
            else stories(self.kind, row.source, own=own, context=self.context, changes=self.changes)
        )
        arguments: st.SearchStrategy[Any] = st.none()
        if row.trigger is Trigger.CREATE:
            arguments = changes.map(lambda change: _with_state(change, row.target))
        elif row.trigger in (Trigger.UPDATE, Trigger.CLOSE):
            arguments = st.none() | changes
        pairs = st.tuples(histories, arguments)
        if row.trigger is Trigger.RETURN_ITEMS:
            pairs = histories.flatmap(lambda story: st.tuples(st.just(story), _some_returns(story, self.kind)))
        return built(
            lambda drawn: _Case(drawn[0][0], Step(row.trigger, drawn[0][1], context=drawn[1]), self.kind, own),
            st.tuples(pairs, st.sampled_from(contexts_of(self.context))),
        )


def _with_state(change: SessionUpdate, state: State) -> SessionUpdate:
    return evolve(change, state=state)


def _some_returns(story: Story, kind: type[CustomerSession]) -> st.SearchStrategy[Any]:
    session = story.play(kind)
    possible = any(item.remaining_quantity for item in session.cart_items)
    return (returns(session) | returns()) if possible else returns()


class _Raised(Exception):
    """The rule raised an exception."""


def _answer(rule: Rule, inputs: RuleInputs) -> Answer:
    """Call the rule, and return its answer, with a generator as a list."""
    try:
        answer = call_rule(rule, inputs)
        return list(answer) if isinstance(answer, Iterator) else answer
    except Exception as error:
        raise _Raised from error


def _violations(rule: Rule, inputs: RuleInputs) -> tuple[Violation, ...]:
    """Call the rule, check that its answer is valid, and return its violations."""
    answer = _answer(rule, inputs)
    if answer is None or answer is True:
        return ()
    try:
        return rule.violations_in(answer)
    except (TypeError, ValueError) as error:
        raise AssertionError(str(error)) from error


def _mutable_contents(inputs: RuleInputs) -> dict[str, Any]:
    """Return the contents of everything that a rule could change."""
    sessions = {
        "the session": inputs.session,
        "the session after": inputs.after,
        "the new session": inputs.origin,
    }
    held: dict[str, Any] = {name: contents(session) for name, session in sessions.items() if session is not None}
    return held | {"the argument": inputs.change, "the new values": dict(inputs.values)}


def _document(change: Any) -> Any:
    if is_list(change):
        return unstructure(ReturnRequest(returned_cart_items=change))
    return {} if change is None else unstructure(change)


_NAMES = {
    wire_name(attribute.name) for kind in (CustomerSession, CartItem, ReturnedCartItem) for attribute in fields(kind)
}
"""Members to which a pointer may lead although they are absent."""


def _exists(document: Any, pointer: str) -> bool:
    """Whether *pointer* leads to a value in *document*, or to a member that could be there."""
    *path, last = pointer.split("/")[1:] or [""]
    if pointer == "":
        return True
    if not pointer.startswith("/"):
        return False
    for token in (token.replace("~1", "/").replace("~0", "~") for token in path):
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

_events: list[str] = []
_recording = False
_hook_installed = False


def _record_event(event: str, _: Any) -> None:  # pragma: no cover - the interpreter disables tracing in audit hooks
    if _recording and event.startswith(_IO_EVENTS):
        _events.append(event)


@contextmanager
def _recorded_io() -> Generator[list[str]]:
    """Collect the audit events of input and output in the enclosed code. Python cannot remove an audit hook again."""
    global _recording, _hook_installed  # noqa: PLW0603 - one audit hook for the whole process
    if not _hook_installed:
        sys.addaudithook(_record_event)
        _hook_installed = True
    events: list[str] = []
    _events.clear()
    printed = StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        _recording = True
        try:
            yield events
        finally:
            _recording = False
            events += _events
            if printed.getvalue():
                events.append("print")
