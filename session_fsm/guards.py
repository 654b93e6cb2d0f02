"""Rules, the guards of transitions, and the decorator `session_fsm.rule` that makes them of functions.

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

It answers True or False, one `Violation`, or several of them, yielded or in a list or tuple. None and an empty list
pass. Any other answer is an error of the rule: the transition is refused. The first line of the docstring says the rule
in the words of the business; refusals, documentation and diagrams show it.

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

import importlib
import inspect
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import partial
from operator import attrgetter
from types import FunctionType
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from session_fsm.converters import to_member
from session_fsm.errors import InvalidValue, Violation
from session_fsm.generated import evolver, maker
from session_fsm.states import State, StateLike, Trigger, TriggerLike
from session_fsm.user_functions import first_line, is_async, is_unawaited, name_of

__all__ = ["SEEN_BY_RULES", "Answer", "Rule", "rule"]

_VARIADIC = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS

Answer: TypeAlias = "bool | Violation | Iterable[Violation] | None"
"""What a rule may answer."""

_make_violation = maker(Violation)
_with_code = evolver(Violation, "code")


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


def rule(
    code: str, *, on: Iterable[TriggerLike], target: StateLike | None = None, text: str | None = None
) -> Callable[[Callable[..., Answer]], Rule]:
    """Decorate a function to make it a `Rule`: *code* names the fault, *on* the triggers that it guards.

    With *target* the rule guards only what leads into that state: ``on=[Trigger.CREATE, Trigger.CLOSE],
    target=State.CLOSED`` means every way in which a session becomes closed. The function may also be a
    `functools.partial` or an object that can be called. *text* says the rule in words, in place of the first line of
    the docstring.

    Raises:
        InvalidValue: the code is empty, *on* is no list, a trigger or the target does not exist, the function has no
            docstring and there is no *text*, or the function is asynchronous.
    """
    if isinstance(on, str):
        raise InvalidValue("/on", f"on is a list of triggers; for one, write on=[{_written(on)}]")

    def decorate(function: Callable[..., Answer]) -> Rule:
        words = text or first_line(function)
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


def _written(trigger: str) -> str:
    return f"Trigger.{trigger.name}" if isinstance(trigger, Trigger) else f"{trigger!r:.80}"


def _member(words: Any, value: str, pointer: str) -> Any:
    member = to_member(words, value)
    if not isinstance(member, words):
        raise InvalidValue(pointer, f"{value!r} is none of: {', '.join(words)}")
    return member
