"""Rules, the decorator `rule`, and the decision that judging a transition results in.

A `Decision` is the answer of the dry run, the content of a refusal, the record for an audit, and the source of a
diagram's overlay.

A rule is a pure function. The names of its parameters say what it is given:

``session``
    the session as it is; None where it is being created
``after``
    a copy of the session as it would be
``change``
    the trigger's argument: a `SessionUpdate`, a tuple of `ReturnedCartItem`, or None
``trigger``, ``now``
    the trigger, and the time of the transition
``context``
    what the caller gave as ``context=``, a mapping; empty without it
any field of the session
    the value that the field would have afterwards: ``cart_items``, ``coupon_codes``, ``total``, ...

A parameter with a default that is none of these keeps its default.

It answers True or False, one `Violation`, or several of them, yielded or in a list or tuple. None and an empty list pass. Any other answer is an error of the rule: the transition is refused. The
first line of the docstring says the rule in the words of the business; refusals, documentation and diagrams show it.

>>> from decimal import Decimal
>>> from session_fsm import Trigger, rule
>>> @rule("minimum_order_missed", on=[Trigger.CLOSE])
... def order_is_worth_ten(total: Decimal) -> bool:
...     '''An order must be worth at least 10.'''
...     return total >= 10
>>> order_is_worth_ten(total=9)
False
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from operator import attrgetter
from textwrap import dedent
from types import FunctionType
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeAlias, TypeVar

from attrs import field, frozen

from session_fsm import errors
from session_fsm.entities import Snapshot
from session_fsm.errors import RULE_FAILED, InvalidValue, RuleViolated, Violation, WrongState, joined, shortened
from session_fsm.generated import evolver, maker
from session_fsm.states import EventName, State, StateLike, Trigger, TriggerLike
from session_fsm.validators import to_member

if TYPE_CHECKING:
    from session_fsm.errors import TransitionRefused

__all__ = [
    "SEEN_BY_RULES",
    "Answer",
    "Check",
    "Decision",
    "Failures",
    "Outcome",
    "OutcomeLike",
    "Rule",
    "checks_of",
    "decision",
    "is_async",
    "is_unawaited",
    "name_of",
    "rule",
]

S = TypeVar("S")

_VARIADIC = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS

Answer: TypeAlias = "bool | Violation | Iterable[Violation] | None"
"""What a rule may answer."""


_make_violation = maker(Violation)
_with_code = evolver(Violation, "code")


class Outcome(StrEnum):
    """The result of judging a rule."""

    PASSED = "passed"
    """The rule allows the transition."""
    VIOLATED = "violated"
    """The rule forbids the transition."""
    ERRORED = "errored"
    """The rule raised an exception or gave no valid answer; the transition is refused."""


OutcomeLike: TypeAlias = Outcome | Literal["passed", "violated", "errored"]
"""An outcome, as a member or as the word."""


SEEN_BY_RULES = ("session", "after", "change", "trigger", "now", "context")
"""The names that a rule may use besides those of the session's fields."""


@frozen(kw_only=True)
class Rule:
    """A guard of one or more transitions. Make one with the decorator `rule`; call it to try its function alone."""

    code: str
    """The stable name of the fault."""
    on: tuple[Trigger, ...]
    """The triggers that it guards."""
    target: State | None = None
    """If set, the rule guards only transitions into this state."""
    text: str
    """The rule in the words of the business: the first line of the function's docstring."""
    function: Callable[..., Answer] = field(eq=False, repr=False)
    """The function that was decorated."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters without a default."""
        function = self.function
        if (
            type(function) is FunctionType
            and not (vars(function) or function.__defaults__ or function.__kwdefaults__)
            and not function.__code__.co_flags & _VARIADIC
        ):
            code = function.__code__  # twenty times as fast as `inspect.signature`
            return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        parameters = inspect.signature(function).parameters.values()
        return tuple(one.name for one in parameters if one.default is inspect.Parameter.empty)

    def arguments(self, names: Container[str]) -> dict[str, bool]:
        """Return the parameters that the rule is given, each with whether by keyword: those without a default, or in *names*.

        A default that `functools.partial` has given stays.
        """
        function: Any = self.function
        code = function.__code__ if type(function) is FunctionType else None
        if code and not (vars(function) or function.__defaults__ or code.co_kwonlyargcount):
            return dict.fromkeys(self.parameters, False)
        # A wrapper has the signature of what it wraps, and may take nothing by keyword.
        wrapper = bool(code and code.co_flags & inspect.CO_VARARGS and not code.co_flags & inspect.CO_VARKEYWORDS)
        keywords: Any = getattr(function, "keywords", {})  # those that `functools.partial` has bound
        bound: Mapping[str, Any] = keywords if isinstance(function, partial) else {}
        return {
            name: not wrapper and one.kind is not inspect.Parameter.POSITIONAL_ONLY
            for name, one in inspect.signature(self.function).parameters.items()
            if one.default is inspect.Parameter.empty or (name in names and name not in bound)
        }

    def asked(self, names: Container[str], look: Callable[[str], Any]) -> Answer:
        """Call the function with what *look* returns for each of `arguments`."""
        arguments = self.arguments(names)
        given = {name: look(name) for name in arguments}
        by_keyword = {name: given.pop(name) for name, keyword in arguments.items() if keyword}
        return self.function(*given.values(), **by_keyword)

    @property
    def name(self) -> str:
        """The name of the function: a sentence that is true when the rule passes."""
        return name_of(self.function)

    def guards(self, trigger: Trigger, target: State | None) -> bool:
        """Whether the rule guards a transition by *trigger* into *target*."""
        return trigger in self.on and self.target in (None, target)

    def violations_in(self, answer: Literal[False] | Violation | Iterable[Violation]) -> tuple[Violation, ...]:
        """Return the violations that an answer other than True and None means."""
        if answer is False:
            return (_make_violation(self.code, self.text, {}, None),)
        if isinstance(answer, Violation):
            return (self._own(answer),)
        if is_unawaited(answer):
            raise TypeError("the rule is asynchronous; a rule answers at once")
        if not isinstance(answer, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]  # a rule may answer anything
            raise TypeError(f"the rule answered {_article(answer)}; {_ANSWERS}")
        found = tuple(map(self._own, answer))
        # An empty text or mapping may have been meant as False.
        if not found and not isinstance(answer, (list, tuple, Iterator)):
            raise TypeError(f"the rule answered an empty {type(answer).__name__}; {_ANSWERS}")
        return found

    def _own(self, violation: object) -> Violation:
        if not isinstance(violation, Violation):
            raise TypeError(f"the rule answered {_article(violation)}; {_ANSWERS}")
        if violation.code not in ("", self.code):
            raise ValueError(f"the rule {self.code} answered with the code of another, {violation.code}")
        return violation if violation.code else _with_code(violation, self.code)

    def __call__(self, *args: Any, **kwargs: Any) -> Answer:
        return self.function(*args, **kwargs)

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"

    def __copy__(self) -> Rule:
        return self

    def __deepcopy__(self, memo: object) -> Rule:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        place = (getattr(self.function, "__module__", ""), getattr(self.function, "__qualname__", ""))
        return _unpickle_rule, (*place, self.code, self.on, self.target, self.text)


def _unpickle_rule(module: str, name: str, code: str, on: tuple[Trigger, ...], target: State | None, text: str) -> Rule:
    """Import the rule from where it was defined. A rule defined inside a function is unpickled without its function."""

    def unavailable(**_: object) -> Answer:
        raise LookupError(f"the function of rule {code} did not travel with its description")

    described = Rule(code=code, on=on, target=target, text=text, function=unavailable)
    try:
        found = attrgetter(name)(importlib.import_module(module))
    except (ImportError, AttributeError, ValueError):
        return described
    return found if found == described else described


_ANSWERS = "a rule answers True or False, a Violation, or a list of them"


def _article(value: object) -> str:
    """Return the type of *value* in words. The value itself may be long, or confidential."""
    return f"a value of the type {type(value).__name__}"


def name_of(function: Any) -> str:
    """Return the name of a function, of the function inside a `functools.partial`, or of an object's class."""
    while isinstance(function, partial):
        function = function.func
    name: str = getattr(function, "__name__", type(function).__name__)
    return name


def is_async(function: Any) -> bool:
    """Whether a call of *function* returns an awaitable or an asynchronous generator."""
    while isinstance(function, partial):
        function = function.func
    kind: Any = type(function)  # pyright: ignore[reportUnknownVariableType]  # of any object
    called = getattr(kind, "__call__", None)  # noqa: B004 - its code is inspected
    return any(inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in (function, called))


def is_unawaited(answer: object) -> bool:
    """Whether *answer* is a coroutine or an asynchronous generator. A coroutine is closed, since nothing awaits it."""
    if inspect.iscoroutine(answer):
        answer.close()
        return True
    return inspect.isasyncgen(answer)


def _text_of(function: Any) -> str:
    """Return the first line of the docstring of *function*, read from its source where Python runs with ``-OO``."""
    while isinstance(function, partial):
        function = function.func
    kind: Any = type(function)  # pyright: ignore[reportUnknownVariableType]  # as above
    documented: list[Any] = [function] if hasattr(function, "__name__") else [kind, kind.__call__]
    docstring: str = next((one.__doc__ for one in documented if one.__doc__), "")
    if not docstring and sys.flags.optimize > 1:  # as `python -OO` does
        docstring = next((found for one in documented if (found := _source_docstring(one))), "")
        if not docstring and (name := name_of(function)).isidentifier():
            return f"{name.replace('_', ' ').capitalize()}."
    return inspect.cleandoc(docstring).partition("\n")[0]


def _source_docstring(documented: Any) -> str:
    """Return the docstring in the source of a function or class, or an empty text where there is no source."""
    try:
        (node,) = ast.parse(dedent(inspect.getsource(documented))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return ""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return (ast.get_docstring(node) or "") if isinstance(node, kinds) else ""


def rule(
    code: str, *, on: Iterable[TriggerLike], target: StateLike | None = None, text: str | None = None
) -> Callable[[Callable[..., Answer]], Rule]:
    """Decorate a function to make it a `Rule`: *code* names the fault, *on* the triggers that it guards.

    With *target* the rule guards only what leads into that state: ``on=[Trigger.CREATE, Trigger.CLOSE],
    target=State.CLOSED`` means every way in which a session becomes closed. The function may also be a
    `functools.partial` or an object that can be called. *text* says the rule in words, in place of the first line of
    the docstring.

    Raises:
        InvalidValue: the code is empty, a trigger or the target does not exist, the function has no docstring and there
            is no *text*, or the function is asynchronous.
    """

    def decorate(function: Callable[..., Answer]) -> Rule:
        words = text or _text_of(function)
        if not words:
            raise InvalidValue("", f"the rule {name_of(function)} needs a docstring; its first line describes the rule")
        if not code:
            raise InvalidValue("/code", f"the rule {name_of(function)} has no code")
        if is_async(function):
            raise InvalidValue("", f"the rule {name_of(function)} is asynchronous; a rule answers at once")
        triggers = tuple(_member(Trigger, trigger, "/on") for trigger in on)
        into = None if target is None else _member(State, target, "/target")
        return Rule(code=code, on=triggers, target=into, text=words, function=function)

    return decorate


def _member(words: Any, value: str, pointer: str) -> Any:
    member = to_member(words, value)
    if not isinstance(member, words):
        raise InvalidValue(pointer, f"{value!r} is none of: {', '.join(words)}")
    return member


@frozen(kw_only=True, weakref_slot=False)
class Check:
    """The result of judging one rule."""

    rule: Rule
    """The rule that was judged."""
    outcome: Outcome
    """The result."""
    violations: tuple[Violation, ...] = ()
    """The violations that the rule found; empty where it passed."""
    error: Exception | None = field(default=None, eq=False, repr=False)
    """The exception that the rule raised, for developers. It is not pickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle_check, (self.rule, self.outcome, self.violations)

    @property
    def violation(self) -> Violation | None:
        """The first violation, or None where the rule passed."""
        return self.violations[0] if self.violations else None

    @property
    def raised(self) -> str:
        """The name and the text of `error`, for developers and logs alone; empty where there is none."""
        return "" if self.error is None else shortened(f"{type(self.error).__name__}: {self.error}")


def _unpickle_check(rule: Rule, outcome: Outcome, violations: tuple[Violation, ...]) -> Check:
    return Check(rule=rule, outcome=outcome, violations=violations)


@frozen(kw_only=True, weakref_slot=False)
class Decision(Generic[S]):
    """Whether a trigger is allowed now, and every reason why not. True when it is allowed."""

    trigger: Trigger
    """The trigger that was judged."""
    source: State | None
    """The state that the session is in; None where it is being created."""
    target: State | None
    """The state that it would be in; None where the table has no such transition."""
    event_name: EventName | None
    """The event that would be recorded; None where the table has no such transition."""
    checks: tuple[Check, ...] = ()
    """Every rule that guards the transition, with its outcome."""
    violations: tuple[Violation, ...] = ()
    """Every reason for a refusal; empty when allowed."""
    _after: Snapshot[S] | S | None = field(default=None, repr=False, alias="after")
    session_id: str = ""
    """The integration ID of the session."""
    allowed_triggers: tuple[Trigger, ...] = field(default=(), repr=False)
    """Where the table has no such transition: the triggers that the table allows from the session's state."""
    already: bool = field(default=False, repr=False)
    """Where the table has no such transition: whether the session is already where the caller wanted it."""

    @property
    def after(self) -> S | None:
        """A copy of the session as it would be, its event pending; None when refused."""
        held: Any = self._after
        after: S | None = held.entity if held.__class__ is Snapshot else held
        return after

    @property
    def allowed(self) -> bool:
        """Whether the trigger is allowed."""
        return not self.violations

    def __bool__(self) -> bool:
        return self.allowed

    def raise_if_refused(self) -> Self:
        """Return the decision if it allows the trigger; otherwise raise what the verb would raise.

        Raises:
            WrongState: the table has no such transition from the session's state.
            RuleViolated: a rule forbids it, or failed.
        """
        if self.violations:
            raise self.refusal()
        return self

    def refusal(self) -> TransitionRefused:
        """Return the error of this refusal. Its cause is what the first failed rule raised."""
        if not self.checks:  # the table refuses it, not a rule
            return WrongState(self, self.session_id, self.allowed_triggers, self.already)
        refusal = RuleViolated(self, self.session_id)
        refusal.__cause__ = next((check.error for check in self.checks if check.error is not None), None)
        return refusal

    def __str__(self) -> str:
        if self.allowed:
            source = f"{self.source} -> " if self.source else ""
            return f"{self.trigger} is allowed: {source}{self.target} ({self.event_name})."
        reasons = joined((f"{violation.message} [{violation.code}]" for violation in self.violations), " ")
        return f"{self.trigger} is refused: {reasons}"


decision: Callable[..., Decision[Any]] = maker(Decision)
"""Makes a `Decision` of the values of all its fields, in order, without converters and validators."""

Failures: TypeAlias = "dict[str, tuple[Violation, ...] | Exception]"
"""The violations of the rules that did not pass, or the exceptions that they raised, by the codes of the rules."""


def checks_of(rules: Iterable[Rule], failures: Failures) -> tuple[Check, ...]:
    """Return a check for each of *rules*."""
    return tuple([_check(one, failures.get(one.code, ())) for one in rules])


def _check(one: Rule, result: tuple[Violation, ...] | Exception) -> Check:
    if isinstance(result, Exception):
        # The exception may contain what no client should read, such as a database URL with a password.
        message = f"The rule {one.code} could not be judged."
        violation = Violation(code=RULE_FAILED, message=message, details={"rule": one.code})
        return _make_check(one, Outcome.ERRORED, (violation,), result)
    return _make_check(one, _VIOLATED if result else _PASSED, result, None)


_make_check = maker(Check)
_PASSED, _VIOLATED = Outcome.PASSED, Outcome.VIOLATED

# `typing.get_type_hints` of the errors, which are defined before `Decision`, looks it up in their module.
setattr(errors, "Decision", Decision)  # noqa: B010 - type checkers see an import there
