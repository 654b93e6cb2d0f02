"""The figures of the architecture show what the code does."""

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from types import FrameType
from typing import Any

import pages
import pytest

from session_fsm import CartItem, CustomerSession

pytest.importorskip("sphinx", reason="the figures are drawn by an extension of Sphinx")


@pytest.fixture(scope="module")
def figures() -> Iterator[Any]:
    sys.path.insert(0, str(pages.DOCS))
    yield import_module("_ext.figures")
    sys.path.remove(str(pages.DOCS))


def test_closing_a_session_calls_the_steps_of_the_figure_in_their_order(figures: Any) -> None:
    mug = CartItem(sku="MUG", quantity=1, price=3)
    warm = CustomerSession.create("order-1")  # what is computed once for a class is computed here
    warm.close(cart_items=[mug])
    session = CustomerSession.create("order-2")
    called: list[tuple[str, str]] = []

    def watch(frame: FrameType, event: str, _: object) -> None:
        module = str(frame.f_globals.get("__name__", ""))
        # The recorder of coverage may watch the session too.
        if event == "call" and module.startswith("session_fsm.") and not module.startswith("session_fsm.testing."):
            called.append((module, frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        session.close(coupon_codes=["XMAS"], cart_items=[mug])
    finally:
        sys.setprofile(before)
    steps = [(f"session_fsm.{step.module}", step.function) for step in figures.CLOSE]
    assert [call for call in called if call in steps] == steps
    assert called[-1] == steps[-1]  # nothing can fail after the fields are set


def test_the_errors_of_the_figure_exist(figures: Any) -> None:
    errors = [step.raises for step in figures.CLOSE if step.raises]
    assert errors == ["InvalidValue", "WrongState", "RuleViolated"]
    assert all(hasattr(import_module("session_fsm"), error) for error in errors)


def test_contributing_names_the_functions_of_the_figure(figures: Any) -> None:
    """The list there says more of each step; a function that is renamed has to be renamed in both."""
    text = (pages.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("### What happens in")[2].partition("\n### ")[0]
    named = set(re.findall(r"`([\w.]+)`", section))
    shown = {step.function for step in figures.CLOSE}
    for function in named:
        if re.fullmatch(r"(CustomerSession|LifecycleEvent|Transition|Judge)\.\w+", function):
            assert function in shown, function


def test_the_layers_are_those_that_import_linter_checks(figures: Any) -> None:
    project = tomllib.loads((pages.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [one for one in project["tool"]["importlinter"]["contracts"] if one["type"] == "layers"]
    cards = list(figures.layers())
    assert [card.heading.replace(", ", " : ") for card in cards] == contract["layers"]
    asides = {card.heading: card.aside for card in cards}
    assert asides["wire"] == "cattrs, msgspec"
    assert asides["machine"] == "transitions"
    assert asides["session"] == ""


@pytest.mark.parametrize("name", ["layers", "close"])
def test_a_figure_has_the_text_of_every_card(figures: Any, name: str) -> None:
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - its own picture is read

    title, cards = figures.FIGURES[name]
    drawn = figures.column(title, list(cards()))
    texts = [element.text for element in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
    for card in cards():
        assert card.heading in texts
        assert not card.aside or card.aside in texts
        assert not card.warning or card.warning in texts
    width = int(re.findall(r'viewBox="0 0 (\d+) ', drawn)[0])
    assert width <= 390, "it would be scrolled on a phone"
