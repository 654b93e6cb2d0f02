"""Tests of steps and stories: play, judge, Python and JSON Lines."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from builders import TenantSession

from session_fsm import AdditionalCost, CartItem, CustomerSession, InvalidValue, ReturnedCartItem, SessionUpdate, State
from session_fsm.recording import Recording, read_request
from session_fsm.testing import BEGINNING, Step, Story, code_of

ONE_ITEM = SessionUpdate(cart_items=[CartItem(sku="A", quantity=2, price="1.50")], state="closed")
WHOLE = Story.of(
    Step("create", ONE_ITEM),
    Step("return_items", [ReturnedCartItem(position=0, quantity=1)]),
    Step("return_items", [ReturnedCartItem(position=0)]),
    Step("cancel"),
)
OTHER = Story.of(
    Step("create"), Step("update", SessionUpdate(profile_id="p")), Step("close"), Step("reopen"), Step("cancel")
)


@pytest.mark.parametrize("story", [WHOLE, OTHER])
class TestStories:
    def test_the_code_creates_the_same_session(self, story: Story) -> None:
        names: dict[str, Any] = {
            kind.__name__: kind for kind in (CustomerSession, CartItem, ReturnedCartItem, datetime)
        } | {"UTC": UTC}
        exec(story.code(times=True), names)
        assert names["session"].pending_events == story.play(CustomerSession).pending_events

    def test_the_json_lines_create_the_same_session(self, story: Story) -> None:
        recording = Recording(CustomerSession)
        results = [recording.play(read_request(line.encode())) for line in story.json_lines().splitlines()]
        assert [result.trigger for result in results] == [step.trigger for step in story.steps]
        assert results[-1].state is story.play(CustomerSession).state
        assert not any(result.violations for result in results)


class TestSteps:
    def test_each_step_is_a_minute_after_the_one_before(self) -> None:
        later = BEGINNING + timedelta(days=1)
        story = Story.of(Step("create"), Step("close", at=later)).then(Step("reopen"))
        assert [now for _, now in story.timed()] == [BEGINNING, later, later + timedelta(minutes=1)]
        assert story.end == later + timedelta(minutes=2)
        assert Story(()).end == BEGINNING
        assert "session.close(now=datetime(2026, 1, 2, 0, 0, tzinfo=UTC))" in story.code()

    def test_a_trigger_that_does_not_exist_is_refused(self) -> None:
        with pytest.raises(InvalidValue, match="/trigger: 'sell' is none of: create, "):
            Step("sell")  # type: ignore[arg-type]  # the wrong value on purpose

    def test_a_story_begins_with_a_creation(self) -> None:
        with pytest.raises(InvalidValue, match="close needs a session"):
            Story.of(Step("close")).play(CustomerSession)
        with pytest.raises(InvalidValue, match="one step at least"):
            Story(()).play(CustomerSession)

    def test_own_fields_are_passed_to_the_creation(self) -> None:
        story = Story.of(Step("create"), own={"tenant": "acme"})
        assert story.play(TenantSession).tenant == "acme"  # type: ignore[attr-defined]  # a field of the class
        assert story.code("TenantSession") == 'session = TenantSession.create("order-1", tenant="acme")'

    def test_missing_or_unknown_own_fields_are_refused(self) -> None:
        with pytest.raises(InvalidValue, match=r"/own: TenantSession cannot be created: .*'tenant'"):
            Story.of(Step("create")).play(TenantSession)
        with pytest.raises(InvalidValue):
            Story.of(Step("create"), own={"tenant": "acme", "unknown": 1}).play(TenantSession)

    def test_judge_changes_nothing(self) -> None:
        session = OTHER.play(CustomerSession)
        assert not Step("close").judge(session, CustomerSession, OTHER.end)
        assert session.state is State.CANCELLED

    def test_a_creation_is_judged_with_the_rules_that_guard_it(self) -> None:
        decision = Step("create").judge(None, CustomerSession, BEGINNING)
        assert decision
        assert {check.outcome for check in decision.checks} == {"passed"}
        assert [check.rule.code for check in decision.checks] == [
            "state_not_creatable",
            "too_many_cart_items",
            "too_many_units",
        ]
        refused = Step("create", SessionUpdate(state="cancelled")).judge(None, CustomerSession, BEGINNING)
        assert [violation.code for violation in refused.violations] == ["state_not_creatable"]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "None"),
        (True, "True"),
        (3, "3"),
        (State.OPEN, '"open"'),
        ('"', '"\\""'),
        ("a\nb", "'a\\nb'"),
        (Decimal("1.50"), 'Decimal("1.50")'),
        (datetime(2026, 1, 2, tzinfo=UTC), "datetime(2026, 1, 2, 0, 0, tzinfo=UTC)"),
        (
            datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=1))),
            "datetime.datetime(2026, 1, 2, 0, 0, tzinfo=datetime.timezone(datetime.timedelta(seconds=3600)))",
        ),
        ({"a": [1, 2]}, '{"a": [1, 2]}'),
        ([1, 1, 1], "[1, 1, 1]"),
        ([1, 1, 1, 1], "[1] * 4"),
        ([1, 1, 1, True], "[1, 1, 1, True]"),
        (SessionUpdate(profile_id="p"), 'SessionUpdate(profile_id="p")'),
        (AdditionalCost("1.5"), 'AdditionalCost("1.5")'),
        (CartItem(sku="A", quantity=1, price="2"), 'CartItem(sku="A", quantity=1, price="2")'),
    ],
)
def test_a_value_is_written_as_short_python(value: Any, code: str) -> None:
    assert code_of(value) == code
