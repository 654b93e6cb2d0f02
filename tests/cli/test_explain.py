"""``session-fsm explain``: the description of the table and its rules."""

import json

import pytest
from command_line import run

from session_fsm import CustomerSession, State, Trigger
from session_fsm.lifecycle import TABLE
from session_fsm.states import MEANING_OF_STATE, MEANING_OF_TRIGGER


class TestTable:
    """Without arguments, the whole table is described."""

    def test_transitions_are_grouped_by_source_state(self) -> None:
        blocks = dict(block.split("\n", 1) for block in run("explain").output.split("\n\n") if "\n" in block)
        for row in TABLE:
            lines = iter(blocks[f"from {row.source or '(new)'}"].splitlines())
            assert any(line.split() == [row.trigger, "->", row.target, row.event_name] for line in lines)
            assert next(lines).strip() == row.operation
            codes = [rule.code for rule in CustomerSession.machine.rules_of(row)]
            assert next(lines).strip() == (", ".join(codes) or "no rules")

    def test_a_final_state_is_described_as_final(self) -> None:
        assert "from cancelled\n  no transition: a final state\n" in run("explain").output

    def test_every_rule_is_listed_with_its_text(self) -> None:
        listed = [line.split(maxsplit=1) for line in run("explain").output.split("\nrules\n")[1].splitlines()]
        assert listed == [[rule.code, rule.text] for rule in CustomerSession.rules]


class TestTrigger:
    """With a trigger, its transitions and rules are described."""

    def test_close_is_explained_with_its_rules_and_its_meaning(self) -> None:
        assert run("explain", "close").output == (
            f"close\n  {MEANING_OF_TRIGGER[Trigger.CLOSE]}\n\n"
            "close: open -> closed\n"
            "  operation  Update customer session\n"
            "  event      talon_session_closed\n"
            "  rules      too_many_cart_items, too_many_units\n"
            "  basis      documented by Talon.One\n"
            f"  leads to   closed: {MEANING_OF_STATE[State.CLOSED]}\n\n"
            "refused from other states\n"
            "  closed              Only open sessions can be closed\n"
            "  partially_returned  Only open sessions can be closed\n"
            "  cancelled           Only open sessions can be closed\n\n"
            "rules\n"
            "  too_many_cart_items  A cart must not hold more than 1000 items.\n"
            "  too_many_units       The quantities in a cart must not add up to more than 10,000 units.\n"
        )

    @pytest.mark.parametrize("trigger", list(Trigger))
    def test_every_trigger_shows_all_its_transitions(self, trigger: Trigger) -> None:
        output = run("explain", trigger).output
        for row in TABLE:
            headline = f"\n{row.trigger}: {row.source or '(new)'} -> {row.target}\n"
            assert (headline in output) == (row.trigger is trigger)

    def test_a_choice_of_this_library_is_described_as_chosen(self) -> None:
        output = run("explain", "return_items").output
        assert "chosen by this library, because nothing public says. The API lists previous returns" in output

    def test_a_trigger_without_rules_lists_none(self) -> None:
        output = run("explain", "reopen").output
        assert "  rules      none\n" in output
        assert "\nrules\n" not in output

    def test_rules_of_a_subclass_are_listed(self) -> None:
        output = run("explain", "close", "--class", "session_fsm.cli.commands.demo:DemoSession").output
        assert "  coupon_code_required  A session must hold a coupon code by the time it closes.\n" in output


class TestState:
    """With a state, its allowed and refused triggers are described."""

    def test_a_closed_session_allows_three_triggers_and_refuses_three(self) -> None:
        output = run("explain", "--state", "closed").output
        assert output.startswith(f"closed\n  {MEANING_OF_STATE[State.CLOSED]}\n")
        assert [line.split(":")[0] for line in output.splitlines() if " -> " in line] == [
            "cancel",
            "return_items",
            "reopen",
        ]
        refused = output.split("\nrefused\n")[1].split("\n\n")[0]
        assert [line.split()[0] for line in refused.splitlines()] == ["create", "update", "close"]

    def test_a_new_session_can_only_be_created(self) -> None:
        output = run("explain", "--state", "new").output
        assert output.startswith("(new)\n  A session that does not exist yet.\n")
        assert "create: (new) -> open" in output
        assert "  update        There is no session yet; an update creates one.\n" in output

    def test_a_trigger_that_the_state_refuses_is_explained_as_refused(self) -> None:
        assert run("explain", "reopen", "--state", "partially_returned").output == (
            f"partially_returned\n  {MEANING_OF_STATE[State.PARTIALLY_RETURNED]}\n\n"
            f"reopen\n  {MEANING_OF_TRIGGER[Trigger.REOPEN]}\n\n"
            "refused\n  reopen  Only closed sessions can be reopened\n"
        )

    def test_a_trigger_is_explained_only_for_the_given_state(self) -> None:
        output = run("explain", "cancel", "--state", "open").output
        assert "cancel: open -> cancelled" in output
        assert "talon_session_revoked" not in output
        assert "refused" not in output


class TestJson:
    """With --json, the description is one JSON object."""

    def test_the_whole_table_is_one_object(self) -> None:
        document = json.loads(run("explain", "--json").output)
        assert document["class"] == "session_fsm.session:CustomerSession"
        assert [row["id"] for row in document["transitions"]] == [row.id for row in TABLE]
        assert document["transitions"][3] == {
            "id": "T-04",
            "from": "open",
            "trigger": "close",
            "to": "closed",
            "operation": "Update customer session",
            "event": "talon_session_closed",
            "rules": ["too_many_cart_items", "too_many_units"],
            "authority": "documented",
            "note": "",
        }
        assert [rule["code"] for rule in document["rules"]] == [rule.code for rule in CustomerSession.rules]
        assert document["states"] == {state.value: meaning for state, meaning in MEANING_OF_STATE.items()}
        cells = len(Trigger) * (len(State) + 1)
        possible = {(row.source, row.trigger) for row in TABLE}
        assert len(document["refused"]) == cells - len(possible)

    def test_trigger_and_state_limit_the_output(self) -> None:
        document = json.loads(run("explain", "close", "--state", "closed", "--json").output)
        assert document["transitions"] == document["rules"] == []
        assert document["refused"] == [
            {
                "from": "closed",
                "trigger": "close",
                "reason": "Only open sessions can be closed",
            }
        ]


def test_every_state_and_every_trigger_has_a_meaning() -> None:
    assert list(MEANING_OF_STATE) == list(State)
    assert list(MEANING_OF_TRIGGER) == list(Trigger)
