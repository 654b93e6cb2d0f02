"""What an editor shows of the library while code is written: completions, signatures and documentation."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest
import tools
from language_server import LanguageServer

from session_fsm import Trigger

HEAD = '''
from __future__ import annotations

import attrs

from session_fsm import CustomerSession, RuleViolated, Trigger, rule, wire
from session_fsm.testing import given


@attrs.define(kw_only=True, eq=False, repr=False)
class ShopSession(CustomerSession):
    """A session of the shop."""

    branch: str = "main"
    """The branch of the shop."""


session = ShopSession.create("order-1")
'''


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    if find_spec("pyright") is None:
        tools.missing("the package pyright")
    with LanguageServer(tmp_path_factory.mktemp("code")) as server:
        yield server


def test_the_session_says_what_it_is_and_shows_its_verbs(editor: LanguageServer) -> None:
    shown = editor.hover(HEAD + "CustomerSession|")
    assert "A finite container of customer activity" in shown
    assert '>>> session.close(coupon_codes=["XMAS"])' in shown


@pytest.mark.parametrize(
    ("verb", "sentence"),
    [
        ("update", "Modify an open session"),
        ("close", "Turn the cart into an order"),
        ("put", "Do what the Update operation does"),
        ("evaluate", "Judge *trigger* without calling its verb"),
        ("board", "Judge all five triggers"),
    ],
)
def test_a_verb_shows_its_fields_and_its_own_documentation(editor: LanguageServer, verb: str, sentence: str) -> None:
    label, documentation = editor.signature(HEAD + f"session.{verb}(|)")
    assert "coupon_codes: Iterable[str] | Unset | None = None" in label
    assert "cart_items: Iterable[CartItem] | Unset | None = None" in label
    assert documentation.replace("\\*", "*").startswith(sentence)


def test_then_shows_its_documentation(editor: LanguageServer) -> None:
    label, documentation = editor.signature(HEAD + 'given(session).when("close").then(|)')
    assert "state: StateLike" in label
    assert documentation.startswith("Assert that the verb was allowed")


@pytest.mark.parametrize("call", ["session.evaluate", "given(session).when"])
def test_a_trigger_is_completed(editor: LanguageServer, call: str) -> None:
    assert set(editor.completions(HEAD + f'{call}("|")')) == {f'"{name}"' for name in (*Trigger, "put")}


def test_a_member_of_the_session_has_its_documentation(editor: LanguageServer) -> None:
    found = editor.completions(HEAD + "session.|")
    assert "The branch of the shop." in found["branch"]
    assert "The state; only the verbs change it." in found["state"]
    assert "Cancelled is final." in found["cancel"]
    assert "Turn the cart into an order" in found["close"]
    assert "Judge all five triggers" in found["board"]


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ('read| = wire.loads("", ShopSession)', "read: ShopSession"),
        ("session.state|", "state: State"),
        ('session.evaluate("close").checks|', "checks: tuple[Check, ...]"),
        ('session.evaluate("close").violations[0].code|', "code: str"),
        ("event| = session.close()", "event: SessionEvent"),
    ],
)
def test_a_name_has_its_type(editor: LanguageServer, code: str, shown: str) -> None:
    assert shown in editor.hover(HEAD + code)
