"""Tests every row of the page on subclassing: refusals with their messages, and allowed definitions."""

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import attrs
import pages
import pytest

from session_fsm import CustomerSession, SessionEvent, SessionUpdate, wire

_HEAD = """
import copy, dataclasses, functools, pickle
from abc import ABC
from datetime import date
from typing import ClassVar, Generic, TypeVar
from unittest.mock import patch
import attrs
from session_fsm import CartItem, CustomerSession, SessionUpdate, rule, wire
define = attrs.define(kw_only=True, eq=False, repr=False)
"""

_REFUSED = {
    "a field without the decorator": "class A(CustomerSession):\n    branch: str = ''\nA.create('o')",
    "a dataclass": "@dataclasses.dataclass\nclass A(CustomerSession):\n    branch: str = ''",
    "a type that changes in place": "@define\nclass A(CustomerSession):\n    tags: list[str] = []",
    "a type that is not exact": "@define\nclass A(CustomerSession):\n    weight: float = 0.0",
    "a union that JSON cannot tell apart": "@define\nclass A(CustomerSession):\n    when: date | str = ''",
    "a type that only type checkers import": "@define\nclass A(CustomerSession):\n    when: 'Day' = ''",
    "a default of another type": "@define\nclass A(CustomerSession):\n    pick_up_on: date = None",
    "a field of every session, defined anew": "@define\nclass A(CustomerSession):\n    total: int = 0",
    "a field named as a method": "@define\nclass A(CustomerSession):\n    close: int = 0",
    "a field named as what rules see": "@define\nclass A(CustomerSession):\n    change: int = 0",
    "two fields with one name in JSON": (
        "@define\nclass A(CustomerSession):\n    codes: str = attrs.field(default='', alias='couponCodes')"
    ),
    "a value in place of a method": "class A(CustomerSession):\n    close = 1",
    "an `__init__`": "class A(CustomerSession):\n    def __init__(self): pass",
    "a generic class": "T = TypeVar('T')\nclass A(CustomerSession, Generic[T]): pass",
    "two session classes with different rules": (
        "class B(CustomerSession):\n    rules = ()\nclass C(CustomerSession): pass\nclass A(B, C): pass"
    ),
    "a mixin with an annotation that is no field": (
        "class Mixin:\n    branch: str = ''\nclass A(Mixin, CustomerSession): pass"
    ),
    "a machine": "class A(CustomerSession):\n    machine = None",
    "rules assigned later": "class A(CustomerSession): pass\nA.rules = ()",
    "two rules with one code": (
        "@rule('x', on=['close'])\ndef f(total):\n    'It must be so.'\nclass A(CustomerSession):\n    rules = (f, f)"
    ),
    "a rule that asks for what is not there": (
        "@rule('x', on=['close'])\ndef f(totl):\n    'It must be so.'\nclass A(CustomerSession):\n    rules = (f,)"
    ),
    "an `async` rule": (
        "@rule('x', on=['close'])\nasync def stock_is_enough(total):\n    'It must be so.'\n"
        "class A(CustomerSession):\n    rules = (stock_is_enough,)"
    ),
    "an `async` callback": "class A(CustomerSession):\n    async def on_enter_closed(self, event_data): pass",
    "a misspelt callback": "class A(CustomerSession):\n    def on_enter_close(self, event_data): pass",
    "a subclass of `CartItem` with fields": (
        "@attrs.frozen(kw_only=True)\nclass A(CartItem):\n    colour: str = ''\n"
        "CustomerSession.create('o', cart_items=[A(sku='a', quantity=1)])"
    ),
}
"""Example code by the first cell of its row."""

_ALLOWED = {
    "`rules`": "class B(CustomerSession):\n    rules = ()\nclass A(B): pass\nassert A.rules == ()",
    "fields": "@define\nclass A(CustomerSession):\n    x: int = 0\nassert A.create('o', x=1).x == 1",
    "converters and validators of these fields": """
@define
class A(CustomerSession):
    x: int = attrs.field(default=0, validator=attrs.validators.ge(0))
try:
    A.create('o', x=-1)
except ValueError as error:
    assert error.pointer == '/x'
else:
    raise AssertionError
""",
    "a private field, a field with an alias": (
        "@define\nclass A(CustomerSession):\n    _x: int = 0\n    y: int = attrs.field(default=0, alias='z')\n"
        "a = A.create('o', x=1, z=2)\nassert (a._x, a.y, wire.unstructure(a)['z']) == (1, 2, 2)"
    ),
    "methods, properties, class methods, `ClassVar`": (
        "class A(CustomerSession):\n    x: ClassVar[int] = 3\n    @property\n    def y(self): return self.x\n"
        "assert A.create('o').y == 3"
    ),
    "`functools.cached_property`": (
        "class A(CustomerSession):\n    @functools.cached_property\n    def n(self): return self.update_count\n"
        "a = A.create('o')\nassert a.n == 1\nassert copy.copy(a).n == 1\na.update()\nassert a.n == 2"
    ),
    "`__attrs_post_init__`": (
        "seen = []\n@define\nclass A(CustomerSession):\n    x: int = 0\n    def __attrs_post_init__(self): seen.append(self.total)\n"
        "A.create('o')\nassert seen == [0]"
    ),
    "`create` and the verbs": (
        "seen = []\nclass A(CustomerSession):\n    def close(self, *args, **given):\n        seen.append(given)\n"
        "        return super().close(*args, **given)\nA.create('o').put(SessionUpdate(state='closed'), context={'a': 1})\n"
        "assert seen == [{'context': {'a': 1}}]"
    ),
    "`on_enter_STATE`, `on_exit_STATE`": (
        "seen = []\nclass A(CustomerSession):\n    def on_enter_closed(self, data): seen.append(data.model)\n"
        "a = A.create('o')\na.close()\nassert seen == [a]"
    ),
    "callbacks on `ShopSession.machine`": (
        "seen = []\nclass B(CustomerSession): pass\nB.machine.on_enter_closed(seen.append)\nclass A(B): pass\n"
        "A.create('o').close()\nassert len(seen) == 1"
    ),
    "`__eq__`, `__hash__`, `__len__`, `__bool__`, `__str__`, `__repr__`": (
        "class A(CustomerSession):\n    __hash__ = None\n    def __eq__(self, other): return True\n"
        "    def __len__(self): return 0\n    def __bool__(self): return False\n    def __repr__(self): return 'a'\n"
        "a = A.create('o')\na.close()\nassert a.evaluate('cancel').after is not None\n"
        "assert wire.loads(wire.dumps(a), A).state == 'closed'"
    ),
    "class keywords": (
        "class Mixin:\n    def __init_subclass__(cls, tenant='', **rest):\n        super().__init_subclass__(**rest)\n"
        "        cls.tenant = tenant\nclass A(Mixin, CustomerSession, tenant='x'): pass\nassert A.tenant == 'x'"
    ),
    "mixins without fields, `abc.ABC`": (
        "class Mixin:\n    def hello(self): return self.state\nclass A(Mixin, CustomerSession): pass\n"
        "class B(CustomerSession, Mixin, ABC): pass\nassert A.create('o').hello() == B.create('o').hello() == 'open'"
    ),
    "a mixin with fields": (
        "@attrs.define(slots=False, kw_only=True, eq=False)\nclass Mixin:\n    x: int = 0\n"
        "@define\nclass A(Mixin, CustomerSession): pass\na = A.create('o', x=1)\na.update(x=2)\nassert a.x == 2"
    ),
    "two session classes as bases": (
        "class B(CustomerSession): pass\nclass C(CustomerSession): pass\nclass A(B, C): pass\nA.create('o').close()"
    ),
    "`slots=False`": (
        "@attrs.define(kw_only=True, eq=False, repr=False, slots=False)\nclass A(CustomerSession):\n    x: int = 0\n"
        "a = A.create('o')\na.note = 'n'\nassert copy.copy(a).note == 'n'\nassert 'note' not in wire.unstructure(a)"
    ),
    "a subclass of `CartItem` without fields": (
        "class A(CartItem): pass\ns = CustomerSession.create('o', cart_items=[A(sku='a', quantity=1)])\n"
        "assert type(wire.loads(wire.dumps(s)).cart_items[0]) is CartItem"
    ),
    "`unittest.mock.patch.object` on a class or a session": (
        "class A(CustomerSession): pass\na = A.create('o')\n"
        "for target in (A, a):\n    with patch.object(target, 'close') as mock:\n        a.close()\n"
        "    assert mock.called\nassert a.close().target == 'closed'"
    ),
}


def _rows(heading: str) -> dict[str, str]:
    """Return the first and the last cell of each row of the table below a heading."""
    text = (pages.DOCS / "reference" / "subclassing.md").read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {row[0]: row[-1].replace("\\|", "|").replace("\\_", "_") for row in cells}


def _run(code: str) -> None:
    space: dict[str, Any] = {"__name__": "shop"}
    exec(compile(_HEAD + code, "shop.py", "exec"), space)


@pytest.mark.parametrize(("what", "message"), _rows("What is refused").items())
def test_a_refused_definition_has_the_listed_message(what: str, message: str) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)) as refused:
        _run(_REFUSED[what])
    assert str(refused.value) == message


@pytest.mark.parametrize("what", _rows("What may be added, overridden and replaced"))
def test_an_allowed_definition_works(what: str) -> None:
    _run(_ALLOWED[what])


@pytest.mark.parametrize(
    ("heading", "cases"), [("What is refused", _REFUSED), ("What may be added, overridden and replaced", _ALLOWED)]
)
def test_every_case_has_a_row(heading: str, cases: dict[str, str]) -> None:
    assert set(_rows(heading)) == set(cases)


_OPERATIONS: dict[str, tuple[Callable[[Any], object], ...]] = {
    "`create`, reading JSON, the constructor, `attrs.evolve`": (
        lambda held: type(held).create("o", x=2),
        lambda held: wire.loads(wire.dumps(held), type(held)),
        lambda held: type(held)(integration_id="o", created=held.created, updated=held.updated, x=2),
        lambda held: attrs.evolve(held, x=2),
    ),
    "a verb that sets the field": (lambda held: held.update(x=2), lambda held: held.close(x=2)),
    "a verb that does not set it, `evaluate`, `board`": (
        lambda held: held.update(coupon_codes=["A"]),
        lambda held: held.evaluate("update").after,
        lambda held: held.board(),
    ),
    "`copy.copy`, `copy.deepcopy`, `pickle`": (
        copy.copy,
        copy.deepcopy,
        lambda held: pickle.loads(pickle.dumps(held)),
    ),
}


@attrs.define(kw_only=True, eq=False, repr=False)
class Watched(CustomerSession):
    """Records which hooks run."""

    x: int = attrs.field(
        default=0, validator=lambda *_: ran.add("validator"), converter=lambda x: ran.add("converter") or x
    )

    def __attrs_post_init__(self) -> None:
        ran.add("post_init")


ran: set[str] = set()


@pytest.mark.parametrize("what", _OPERATIONS)
def test_converters_validators_and_post_init_run_as_listed(what: str) -> None:
    text = (pages.DOCS / "reference" / "subclassing.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {what} |")]
    fields, post_init = [cell.strip() == "yes" for cell in row.split("|")[2:4]]
    expected = ({"validator", "converter"} if fields else set()) | ({"post_init"} if post_init else set())
    for way in _OPERATIONS[what]:
        held = Watched.create("o", x=1)
        ran.clear()
        way(held)
        assert ran == expected


class Closing(CustomerSession):
    """Records that its ``close`` runs."""

    def close(self, change: SessionUpdate | None = None, /, **changes: Any) -> SessionEvent:
        ran.add("close")
        return super().close(change, **changes)


_CLOSING: dict[str, tuple[Callable[[Closing], object], ...]] = {
    '`session.close()`, `session.put(SessionUpdate(state="closed"))`': (
        lambda held: held.close(),
        lambda held: held.put(SessionUpdate(state="closed")),
    ),
    '`create(state="closed")`': (lambda held: type(held).create("o", state="closed"),),
    "`evaluate`, `board`": (lambda held: held.evaluate("close"), lambda held: held.board()),
    "reading JSON": (lambda held: wire.loads(wire.dumps(held).replace(b'"open"', b'"closed"'), type(held)),),
}


def test_every_way_to_close_has_a_row() -> None:
    assert set(_rows("When an overridden verb runs")) == set(_CLOSING)


@pytest.mark.parametrize(("what", "said"), _rows("When an overridden verb runs").items())
def test_an_overridden_verb_runs_as_listed(what: str, said: str) -> None:
    for way in _CLOSING[what]:
        held = Closing.create("o")
        ran.clear()
        way(held)
        assert ("close" in ran) == (said == "runs"), what
