"""`render` and `register_format`: the formats, the arguments, and what every format has in common."""

import hashlib
import subprocess
import sys
from datetime import datetime
from json import loads
from typing import Any

import pytest
from builders import at_minute, session_in
from diagram_cases import PLAIN, ShopSession
from text_diagrams import plain, unescaped

from session_fsm import CustomerSession, InvalidValue, Trigger, rule
from session_fsm.diagrams import formats, model, register_format, render
from session_fsm.diagrams.svg import picture

NAMES = ("mermaid", "dot", "plantuml", "markdown", "json", "scxml", "svg", "html")


@rule("too_late", on=[Trigger.CLOSE])
def closing_is_within_the_hours(now: datetime) -> bool:
    """Orders are closed within the hours of the shop."""
    return now < at_minute(60)


class WithHours(CustomerSession):
    rules = (*CustomerSession.rules, closing_is_within_the_hours)


SESSION_WITH_HOURS = session_in("open", WithHours)


class TestRender:
    def test_the_formats_are_these(self) -> None:
        assert formats()[: len(NAMES)] == NAMES

    @pytest.mark.parametrize("name", NAMES)
    def test_a_class_and_a_session_can_be_formatted(self, name: str) -> None:
        session = session_in("closed")
        assert f"{CustomerSession:{name}}" == render(CustomerSession, name)
        assert f"{session:{name}}" == render(CustomerSession, name, session=session)
        assert render(session=session, format=name) == render(CustomerSession, name, session=session)

    def test_an_empty_format_is_the_string(self) -> None:
        session = session_in("open")
        assert f"{session}" == str(session)
        assert f"{CustomerSession}" == str(CustomerSession)

    def test_without_tests_every_row_and_rule_is_untested(self) -> None:
        text = " ".join(plain(render(CustomerSession, "plantuml", coverage={})).split())  # joins wrapped lines
        in_legend = 1
        assert text.count("NEVER TESTED") == len(PLAIN.edges) + len(PLAIN.rules) + in_legend

    def test_a_subclass_shows_its_own_rules(self) -> None:
        assert "coupon_code_required" in render(ShopSession)
        assert "coupon_code_required" not in render(CustomerSession)

    def test_a_notebook_shows_a_picture_and_text(self) -> None:
        for shown in (CustomerSession, session_in("open")):
            bundle = shown._repr_mimebundle_()
            assert bundle["image/svg+xml"].startswith("<svg")
            assert bundle["text/plain"] == repr(shown)
            assert set(shown._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
            assert set(shown._repr_mimebundle_(exclude=["text/plain"])) == {"image/svg+xml"}

    def test_a_notebook_shows_mermaid_if_the_picture_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any, **__: Any) -> str:
            raise RuntimeError("no picture")

        monkeypatch.setattr(picture, "render", fail)
        bundle = session_in("open")._repr_mimebundle_()
        assert "stateDiagram-v2" in bundle["text/vnd.mermaid"]

    @pytest.mark.parametrize(
        ("settings", "pointer"),
        [
            ({"format": "gif"}, "/format"),
            ({"detail": "some"}, "/detail"),
            ({"kind": int}, ""),
            ({"kind": ShopSession, "session": session_in("open")}, "/session"),
            ({"events": [5]}, "/events"),
            ({"session": session_in("open"), "now": "today"}, "/now"),
        ],
    )
    def test_invalid_arguments_are_refused(self, settings: dict[str, Any], pointer: str) -> None:
        with pytest.raises(InvalidValue) as refusal:
            render(**settings)
        assert refusal.value.pointer == pointer

    def test_an_allowed_decision_is_not_a_history_entry(self) -> None:
        with pytest.raises(InvalidValue):
            render(events=[session_in("open").evaluate("close")])

    @pytest.mark.parametrize("name", [name for name in NAMES if name not in ("json", "scxml")])
    def test_the_given_time_is_shown(self, name: str) -> None:
        text = unescaped(render(session=SESSION_WITH_HOURS, format=name, now=at_minute(60)))
        assert "2026-03-01 10:00:00 UTC" in text.replace("\\", "").replace("&nbsp;", " ")

    def test_the_rules_judge_a_session_at_the_given_time(self) -> None:
        early, late = (
            loads(render(session=SESSION_WITH_HOURS, format="json", now=at_minute(minute)))["overlay"]["session"]
            for minute in (59, 60)
        )
        assert ("T-04" in early["allowed"], early["refused"]) == (True, {})
        assert ("T-04" in late["allowed"], list(late["refused"])) == (False, ["T-04"])
        assert late["now"] == "2026-03-01T10:00:00+00:00"

    def test_the_time_is_shown_only_if_it_is_given_with_a_session(self) -> None:
        assert "order-1042 is open now" in render(session=SESSION_WITH_HOURS, format="svg")
        assert "order-1042 is open at 2026-03-01 10:00:00 UTC" in render(
            session=SESSION_WITH_HOURS, format="svg", now=at_minute(60)
        )
        assert render(format="json", now=at_minute(60)) == render(format="json")

    def test_a_registered_format_is_rendered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("session_fsm.diagrams._registered", {})  # undoes the registration after the test
        register_format("names", lambda diagram, overlay, *, detail: f"{diagram.title} {detail} {overlay.current}")
        assert render(format="names", detail="simple", title="Life") == "Life simple None"
        assert "names" in formats()
        for name in ("Bad Name", "svg"):
            with pytest.raises(InvalidValue):
                register_format(name, lambda *_, **__: "")

    def test_the_model_contains_the_rules_of_the_class(self) -> None:
        @rule("too_late", on=["close"])
        def it_is_early(now: Any) -> bool:
            """It is early."""
            return now.hour < 20

        class EarlySession(CustomerSession):
            rules = (*CustomerSession.rules, it_is_early)

        (edge,) = [edge for edge in model(EarlySession).edges if edge.id == "T-04"]
        assert edge.rules[-1] == "too_late"
        assert model(EarlySession).rules[-1].text == "It is early."


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_the_output_is_the_same_for_every_hash_seed(seed: str) -> None:
    code = (
        "from session_fsm.diagrams import formats, render\n"
        "import hashlib\n"
        "print(hashlib.sha256(''.join(render(format=name) for name in formats()).encode()).hexdigest())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
    )
    here = hashlib.sha256("".join(render(format=name) for name in NAMES).encode()).hexdigest()
    assert result.stdout.strip() == here


@rule("unchecked", on=["close"])
def stock_is_reserved(total: Any) -> bool:
    """The stock must be reserved."""
    raise ConnectionError("postgresql://shop:secret@db/stock")


class StockSession(CustomerSession):
    """Has a rule that raises."""

    rules = (*CustomerSession.rules, stock_is_reserved)


@pytest.mark.parametrize("name", NAMES)
def test_no_format_shows_what_a_failed_rule_raised(name: str) -> None:
    session = StockSession.create("order-1")
    shown = render(StockSession, name, session=session, events=[session.evaluate("close")])
    assert "secret" not in shown
    assert "ConnectionError" not in shown
    assert "could not be judged" in shown.replace("\xa0", " ") or name == "scxml"
