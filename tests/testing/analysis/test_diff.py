"""Tests of `diff` and `read_definition`."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from attrs import define, evolve
from builders import TenantSession, fresh
from command_line import environment

from session_fsm import CustomerSession, InvalidValue, State, Trigger, WireError, rule
from session_fsm.diagrams import model, render
from session_fsm.rules import coupon_code_required, identifier_required
from session_fsm.states import EventName
from session_fsm.testing.analysis.diff import ChangeKind, diff
from session_fsm.testing.analysis.equivalence import behaviour, compare
from session_fsm.testing.analysis.saved_definition import read_definition
from session_fsm.testing.mutation.mutants import mutants

END = datetime(2026, 2, 1, tzinfo=UTC)
FEW = 60


def mutant(name, kind=CustomerSession):
    return next(each for each in mutants(kind) if each.id == name).twin()


def at_least(number, **options):
    @rule("too_small", **({"on": ["close"]} | options))
    def order_is_large(total):
        """An order is large."""
        return total >= number

    return order_is_large


def told(old, new, **options):
    return [str(change) for change in diff(old, new, tries=FEW, **options).changes]


class TestRows:
    """Added, removed and changed rows."""

    def test_a_definition_does_not_differ_from_itself(self):
        assert not diff(CustomerSession, CustomerSession)
        assert diff(CustomerSession, fresh()).changes == ()

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("delete-row:T-08", "T-08: removed: reopen of a closed session is no longer possible"),
            ("delete-row:T-02", "T-02: removed: create as closed is no longer possible"),
            (
                "add-row:partially_returned:reopen",
                "partially_returned reopen: added: reopen of a partially returned session is possible, and leads to open",
            ),
            (
                "retarget-row:T-04:cancelled",
                "T-04: changed: close of an open session: it leads to cancelled instead of closed",
            ),
            (
                "swap-event:T-05:talon_session_revoked",
                (
                    "T-05: changed: cancel of an open session: it records talon_session_revoked instead of "
                    "talon_session_cancelled"
                ),
            ),
        ],
    )
    def test_a_changed_row(self, name, text):
        assert told(CustomerSession, mutant(name)) == [text]

    def test_a_row_with_another_operation_and_id(self):
        before = model(CustomerSession)
        edges = [
            evolve(edge, id="T-99", operation="Return cart items") if edge.id == "T-03" else edge
            for edge in before.edges
        ]
        assert told(before, evolve(before, edges=tuple(edges))) == [
            (
                "T-03: changed: update of an open session: it is carried by Return cart items instead of "
                "Update customer session; its number is T-99 instead of T-03"
            )
        ]


class TestRules:
    """Rules, by their texts and the rows that they guard."""

    def test_added_and_removed_rules(self):
        before, after = model(fresh(rules=(coupon_code_required,))), model(fresh(rules=(identifier_required,)))
        assert told(before, after) == [
            "coupon_code_required: removed: A session must hold a coupon code by the time it closes. It guarded T-02, T-04.",
            "identifier_required: added: A session must hold an identifier by the time it closes. It guards T-02, T-04.",
        ]

    def test_a_rule_that_guards_more_or_less(self):
        before = model(fresh(rules=(coupon_code_required,)))
        more = model(fresh(rules=(evolve(coupon_code_required, on=tuple(Trigger), target=None),)))
        less = model(fresh(rules=(evolve(coupon_code_required, on=(Trigger.CREATE,)),)))
        (change,) = told(before, more)
        assert change == (
            "coupon_code_required: tightened: it guards T-01, T-03, T-05, T-06, T-07, T-08, T-09, T-10 too"
        )
        assert told(before, less) == ["coupon_code_required: loosened: it no longer guards T-04"]

    def test_a_rule_with_another_text(self):
        before, after = (model(fresh(rules=(evolve(coupon_code_required, text=text),))) for text in ("A.", "B."))
        assert told(before, after) == ['coupon_code_required: changed: it says "B." instead of "A."']


class TestBehaviour:
    """Two classes are compared by playing stories."""

    def test_a_raised_limit(self):
        old, new = fresh(rules=(at_least(10),)), fresh(rules=(at_least(20),))
        tightened, *others = diff(old, new, tries=400).changes
        assert others == []
        assert str(tightened) == "too_small: tightened: it refuses what was allowed before, such as close."
        assert tightened.witness.startswith("session = FreshSession.create(")
        assert 'assert session.state == "closed"' in tightened.witness
        (loosened,) = diff(new, old, tries=400).changes
        assert str(loosened) == "too_small: loosened: what it refused is allowed now, such as close."
        assert "pytest.raises(RuleViolated)" in loosened.witness

    def test_a_rewritten_rule_with_equal_behaviour_is_no_difference(self):
        assert told(fresh(rules=(at_least(10),)), fresh(rules=(at_least(10),))) == []

    def test_behaviour_of_added_and_removed_rules(self):
        old, new = fresh(rules=(at_least(10),)), fresh(rules=(coupon_code_required,))
        assert [(change.name, change.kind, bool(change.witness)) for change in diff(old, new, tries=FEW).changes] == [
            ("too_small", ChangeKind.REMOVED, False),
            ("coupon_code_required", ChangeKind.ADDED, False),
            ("too_small", ChangeKind.LOOSENED, True),
            ("coupon_code_required", ChangeKind.TIGHTENED, True),
        ]

    def test_the_witness_contains_refusals_and_times(self):
        found = compare(CustomerSession, mutant("add-row:cancelled:cancel")).difference
        assert found is not None
        assert found.code().splitlines()[-2:] == ["with pytest.raises(WrongState):", "    session.cancel()"]

        @rule("old", on=["close"])
        def young(now):
            """Young."""
            return now < END

        timed = compare(fresh(rules=(*CustomerSession.rules, young)), fresh()).difference
        assert timed is not None
        assert "now=datetime(2026, 2, 1, 0, 0, tzinfo=UTC)" in timed.code()

    def test_only_the_last_step_of_a_story_is_compared(self):

        @rule("anonymous", on=["create"])
        def customer_is_known(profile_id):
            """The customer is known."""
            return bool(profile_id)

        closing = at_least(10)
        other = fresh(rules=(customer_is_known, closing))
        found = compare(fresh(rules=()), other, rules=[closing], tries=100).difference
        assert found is not None
        assert (found.step.trigger, found.after.violations[0].code) == (Trigger.CLOSE, "too_small")
        assert found.story.steps[0].argument.profile_id

    def test_raising_and_refusing_differ(self):
        @rule("x", on=["close"])
        def refuses(total):
            """X."""
            return False

        @rule("x", on=["close"])
        def fails(total):
            """X."""
            raise KeyError

        found = compare(fresh(rules=(refuses,)), fresh(rules=(fails,))).difference
        assert found is not None
        assert behaviour(found.before) != behaviour(found.after)

    def test_own_fields_are_passed_to_creations(self):
        kind = type("Other", (TenantSession,), {"rules": (*TenantSession.rules, coupon_code_required)})
        assert told(TenantSession, kind, own={"tenant": "acme"})[-1].startswith("coupon_code_required: tightened")
        with pytest.raises(InvalidValue, match="tenant"):
            diff(TenantSession, kind)


@rule("two_items", on=["cancel", "return_items", "reopen"])
def cart_is_small(cart_items):
    """A cart is small."""
    return len(cart_items) < 2


@define(kw_only=True, eq=False, repr=False)
class TaggedSession(CustomerSession):
    tags: tuple[str, ...] = ()
    channel: str = "web"
    rules = (*CustomerSession.rules, cart_is_small)


class TestStuck:
    """Stored sessions in a state that became a dead end."""

    def test_a_state_without_a_path_to_a_final_state(self):
        found = diff(CustomerSession, mutant("delete-row:T-09"))
        assert [str(stuck) for stuck in found.stuck] == [
            "partially_returned: no way leads from here to a final state any more"
        ]

    def test_a_removed_state(self):
        before = model(CustomerSession)
        edges = [edge for edge in before.edges if State.PARTIALLY_RETURNED not in (edge.source, edge.target)]
        found = diff(before, evolve(before, edges=tuple(edges)))
        assert [str(stuck) for stuck in found.stuck] == [
            "partially_returned: the state is gone: nothing leads into it or out of it any more"
        ]

    def test_rules_that_refuse_every_exit(self):
        new = fresh(rules=(*CustomerSession.rules, cart_is_small))
        closed, returned = (stuck for stuck in diff(CustomerSession, new, tries=FEW).stuck)
        assert (closed.state, returned.state) == (State.CLOSED, State.PARTIALLY_RETURNED)
        assert closed.text.startswith("cancel and return_items and reopen may be refused for ever, by two_items")
        assert returned.text == "cancel may be refused for ever, by two_items"
        session = {}
        exec("from session_fsm import *\n" + closed.witness, session)
        assert len(session["session"].cart_items) == 2

    def test_a_session_that_can_leave_after_an_update_is_not_stuck(self):
        """An open session with two items can be emptied, and cancelled then."""

        @rule("crowded", on=["cancel"])
        def cart_is_small(cart_items):
            """A cart is small."""
            return len(cart_items) < 2

        @rule("holidays", on=["close"])
        def shop_is_open():
            """The shop is open."""
            return False

        new = fresh(rules=(*CustomerSession.rules, cart_is_small, shop_is_open))
        assert [stuck.state for stuck in diff(CustomerSession, new, tries=FEW).stuck] == [State.PARTIALLY_RETURNED]

    def test_new_fields_have_their_defaults(self):
        assert [stuck.state for stuck in diff(CustomerSession, TaggedSession, tries=FEW).stuck] == [
            State.CLOSED,
            State.PARTIALLY_RETURNED,
        ]

    def test_a_rule_that_allows_one_exit_leaves_no_session_stuck(self):
        assert diff(CustomerSession, fresh(rules=(*CustomerSession.rules, at_least(10))), tries=FEW).stuck == ()
        one = fresh(rules=(at_least(10, on=["cancel"]),))
        two = fresh(rules=(at_least(5, on=["cancel"]), at_least(1, on=["reopen"]).__class__ and coupon_code_required))
        assert all(stuck.state is not State.CLOSED for stuck in diff(one, two, tries=FEW).stuck)


class TestSavedDefinition:
    """`read_definition` reads a definition saved as JSON."""

    def test_a_saved_definition_is_read(self):
        kind = fresh(rules=(coupon_code_required,))
        read = read_definition(render(kind, "json"))
        assert not diff(kind, read)
        assert not diff(read, kind)
        assert diff(read, CustomerSession).changes
        assert (read.title, read.class_name) == ("FreshSession", "FreshSession")
        assert [node.final for node in read.nodes] == [False, False, False, True]
        assert read.edges[0].event_name is EventName.CREATED

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            (lambda d: [], ": a list is not an object"),
            (lambda d: d.pop("transitions"), "/transitions: is missing; save with: session-fsm diagram --format json"),
            (lambda d: d.update(rules=5), "/rules: a number is not a list"),
            (lambda d: d.update(states=["open"]), "/states/0: a string is not an object"),
            (lambda d: d.update(title=None), "/title: null is not a string"),
            (lambda d: d["transitions"][2].pop("id"), "/transitions/2/id: is missing; save with: session-fsm diagram"),
            (
                lambda d: d["transitions"][2].update(target="gone"),
                '/transitions/2/target: "gone" is none of: open, closed',
            ),
            (lambda d: d["transitions"][2].update(rules=[3]), "/transitions/2/rules/0: a number is not a string"),
        ],
    )
    def test_an_invalid_document_is_refused_with_a_pointer(self, change, problem):
        document = json.loads(render(CustomerSession, "json"))
        result = change(document)
        text = json.dumps(result if result == [] else document)
        with pytest.raises(WireError) as refusal:
            read_definition(text)
        assert problem in f"{refusal.value.problems[0].pointer}: {refusal.value.problems[0].text}"

    def test_invalid_json_is_refused(self):
        with pytest.raises(WireError):
            read_definition(b"{")


def test_differences_do_not_depend_on_the_hash_seed():
    text = "from session_fsm.testing.analysis.diff import diff\nfrom diagram_cases import ShopSession\n"
    text += "from session_fsm import CustomerSession\nprint(diff(CustomerSession, ShopSession, tries=100))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", text],
            env=environment(PYTHONHASHSEED=seed, PYTHONPATH=":".join(sys.path)),
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert b"coupon_code_required" in outputs.pop()
