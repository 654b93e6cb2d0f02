"""Generated tests of classes whose rules read the context: without one nothing is known, with one they reach everything."""

from functools import cache

import pytest
from command_line import run
from hypothesis import find

from session_fsm import CustomerSession, InvalidValue, Trigger, rule
from session_fsm.testing import (
    NoWitness,
    RuleContract,
    SessionMachine,
    Step,
    Why,
    diff,
    find_witness,
    lint,
    matrix,
    matrix_table,
    paths,
    recording,
    sessions,
    witness,
)
from session_fsm.testing.mutation.mutants import mutants
from session_fsm.testing.mutation.runner import Result, Score, Verdict, examined
from session_fsm.testing.steps import contexts_of

REASON, BLOCKED = {"reason": "ordered twice", "actor": "ann"}, {"actor": "mallory"}
HINT = "reads context; give context=..."


@rule("cancelled_without_reason", on=[Trigger.CANCEL])
def cancellation_has_a_reason(context):
    """A cancellation must have a reason."""
    return bool(context.get("reason"))


@rule("blocked_actor", on=[Trigger.CREATE, Trigger.CLOSE], target="closed")
def actor_is_not_blocked(context):
    """The actor must not be blocked."""
    return context.get("actor") != "mallory"


class ReasonSession(CustomerSession):
    rules = (*CustomerSession.rules, cancellation_has_a_reason)


class StrictSession(CustomerSession):
    rules = (*CustomerSession.rules, cancellation_has_a_reason, actor_is_not_blocked)


class ActorSession(CustomerSession):
    rules = (cancellation_has_a_reason, actor_is_not_blocked)


ActorSession.__module__ = ReasonSession.__module__ = __name__


@cache
def cells(*, given):
    return {str(cell): cell for cell in matrix(ActorSession, context=REASON if given else None, budget=200)}


class TestWithoutAContext:
    """A rule that reads the context may decide otherwise with one, so nothing counts as impossible because of it."""

    @pytest.mark.parametrize(
        ("what", "outcome", "text"),
        [
            ("T-05", None, "everything was refused by: cancelled_without_reason"),
            ("cancelled_without_reason", "passed", "everything was refused by: cancelled_without_reason"),
            ("blocked_actor", "violated", "the rule was never violated"),
        ],
    )
    def test_a_witness_is_not_found_and_the_reason_names_the_rule(self, what, outcome, text):
        missing = find_witness(ActorSession, what, outcome, budget=50)
        assert isinstance(missing, NoWitness)
        assert missing.why is Why.NOT_FOUND
        code = "cancelled_without_reason" if outcome != "violated" else "blocked_actor"
        assert missing.text == f"{text}; the rule {code} {HINT}"

    def test_a_goal_of_coverage_is_not_excused(self):
        with recording() as recorder:
            ActorSession.create("order-1").close()
        coverage = recorder.of(ActorSession)
        assert coverage.possible == len(coverage.goals)
        assert {gap.goal.key for gap in coverage.gaps if HINT in gap.reason} == {
            *("T-05", "T-06", "T-09", "cancelled_without_reason:passed", "blocked_actor:violated")
        }

    def test_the_matrix_and_paths_say_why(self):
        assert HINT in cells(given=False)["cancelled-update"].infeasible
        assert HINT in paths(ActorSession, budget=200).infeasible["T-09"]

    def test_lint_says_that_a_context_is_missing(self):
        (finding,) = lint(ActorSession, tries=50, ignore=["drops-built-in"])
        assert (
            str(finding)
            == f"blocked_actor: never-refuses: nothing was refused for it in 50 tries; the rule {finding.place} {HINT}"
        )

    def test_lint_says_it_of_a_rule_that_another_shadows(self):
        @rule("never_cancelled", on=[Trigger.CANCEL])
        def nothing_is_cancelled():
            """Nothing is cancelled."""
            return False

        class Strict(CustomerSession):
            rules = (cancellation_has_a_reason, nothing_is_cancelled)

        reasons = {one.place: one.reason for one in lint(Strict, tries=50) if one.code == "shadowed"}
        assert set(reasons) == {"cancelled_without_reason", "never_cancelled"}
        assert all(reason.endswith(HINT) for reason in reasons.values())
        assert not any(HINT in one.reason for one in lint(Strict, tries=50, context=REASON))

    def test_several_rules_are_named(self):
        @rule("no_ticket", on=[Trigger.CANCEL])
        def cancellation_has_a_ticket(context):
            """A cancellation must have a ticket."""
            return "ticket" in context

        class Tickets(CustomerSession):
            rules = (cancellation_has_a_reason, cancellation_has_a_ticket)

        missing = find_witness(Tickets, "T-05", budget=20)
        assert isinstance(missing, NoWitness)
        assert missing.text.endswith("the rules cancelled_without_reason, no_ticket read context; give context=...")

    def test_a_survivor_without_a_witness_stays_a_survivor(self):
        (mutant,) = (one for one in mutants(ActorSession) if one.id == "drop-rule:blocked_actor")
        score = Score((Result(mutant, Verdict.SURVIVED),), 1)
        (result,) = examined(score, tries=30).results
        assert result.verdict is Verdict.SURVIVED
        assert HINT.replace("reads", "read") in result.reason
        (result,) = examined(score, tries=300, context=BLOCKED).results
        assert 'context={"actor": "mallory"}' in result.witness

    def test_a_dead_end_says_that_a_context_is_missing(self):
        found = diff(CustomerSession, ReasonSession, tries=50)
        (stuck,) = found.stuck
        assert stuck.text.endswith(f"by cancelled_without_reason; the rule cancelled_without_reason {HINT}")


class TestWithContexts:
    """``context=`` is tried in every call, beside calls without one."""

    def test_every_row_has_a_witness_that_gives_the_context_only_where_it_is_needed(self):
        assert witness(ReasonSession, "T-06", context=REASON).code() == (
            'session = ReasonSession.create("order-1", state="closed")\n'
            'session.cancel(context={"reason": "ordered twice", "actor": "ann"})\n'
            'assert session.state == "cancelled"'
        )

    def test_a_call_without_a_context_is_tried_too(self):
        found = witness(ReasonSession, "cancelled_without_reason", "violated", context=REASON)
        assert "context" not in found.code()

    def test_one_of_several_contexts_is_found(self):
        found = witness(ActorSession, "blocked_actor", "violated", context=[REASON, BLOCKED])
        assert found.step.context == BLOCKED

    def test_every_cell_of_the_matrix_is_feasible(self):
        assert not any(cell.infeasible for cell in cells(given=True).values())
        assert str(cells(given=True)["closed-cancel"].run()) == "cancelled (talon_session_revoked)"
        assert str(cells(given=True)["cancelled-cancel"].run()) == "refused: wrong_state"
        assert "infeasible" not in matrix_table(ActorSession, context=REASON, budget=200)

    @pytest.mark.parametrize("cover", ["transitions", "pairs", "rules"])
    def test_paths_reach_everything(self, cover):
        found = paths(ActorSession, cover, context=[REASON, BLOCKED], budget=500)
        assert (dict(found.infeasible), found.missing) == ({}, ())
        for path in found.paths:
            path.play(ActorSession)

    def test_coverage_has_an_example_for_every_gap(self):
        with recording() as recorder:
            ActorSession.create("order-1").close()
        coverage = recorder.of(ActorSession, context=[REASON, BLOCKED])
        assert all(gap.witness for gap in coverage.gaps)

    def test_lint_finds_nothing(self):
        assert lint(ActorSession, tries=100, context=[REASON, BLOCKED], ignore=["drops-built-in"]) == []

    def test_diff_finds_what_the_rules_refuse(self):
        found = diff(CustomerSession, ReasonSession, context=REASON, tries=100)
        assert found.stuck == ()
        (tightened,) = (each for each in found.changes if each.kind == "tightened")
        assert "session.cancel()" in tightened.witness

    def test_a_strategy_draws_sessions_in_every_state(self):
        assert find(sessions(ReasonSession, "cancelled", context=REASON), lambda _: True).state == "cancelled"

    @pytest.mark.parametrize("context", [{"reason": object()}, "reason", [1]])
    def test_a_context_that_json_cannot_hold_is_refused(self, context):
        with pytest.raises(InvalidValue) as error:
            contexts_of(context)
        assert error.value.problems[0].pointer.startswith("/context")

    def test_a_step_shows_its_context(self):
        assert Step("cancel", context=BLOCKED).code() == 'session.cancel(context={"actor": "mallory"})'
        assert Step("cancel").context == {}


class TestMachine(SessionMachine):
    """The state machine calls verbs with a context and without one."""

    kind = StrictSession
    context = (REASON, BLOCKED)


class TestContract(RuleContract):
    """A contract that holds."""

    rule = cancellation_has_a_reason
    kind = ReasonSession
    context = REASON


def test_a_contract_calls_the_rule_with_the_context():
    @rule("no_reason", on=[Trigger.RETURN_ITEMS, Trigger.CANCEL])
    def reason_is_text(context):
        """The reason is a text."""
        return len(context.get("reason", "")) > 3

    class Contract(RuleContract):
        rule = reason_is_text
        kind = ReasonSession
        context = ({"reason": "long enough"}, {"reason": 5})

    with pytest.raises(AssertionError, match=r'raised TypeError(.|\n)*context=\{"reason": 5\}'):
        Contract().test_never_raises()


class TestCommands:
    """``--context`` of the commands."""

    CLASS = "rules_that_read_context:Actor"

    @pytest.fixture(autouse=True)
    def module(self, tmp_path, monkeypatch):
        text = (
            "from session_fsm import CustomerSession, rule\n"
            "@rule('no_reason', on=['cancel'])\n"
            "def has_a_reason(context):\n    'A cancellation must have a reason.'\n    return 'reason' in context\n"
            "@rule('blocked', on=['cancel'])\n"
            "def is_not_blocked(context):\n    'The actor must not be blocked.'\n"
            "    return context.get('actor') != 'mallory'\n"
            "class Actor(CustomerSession):\n    rules = (has_a_reason, is_not_blocked)\n"
        )
        (tmp_path / "rules_that_read_context.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.chdir(tmp_path)

    def test_lint_takes_it_repeatedly(self):
        arguments = ("lint", "--class", self.CLASS, "--tries", "60")
        assert run(*arguments).exit_code == 1
        contexts = ("--context", '{"reason": "x"}', "--context", '{"reason": "x", "actor": "mallory"}')
        assert run(*arguments, "--ignore", "drops-built-in", *contexts).exit_code == 0

    def test_diff_takes_it(self):
        arguments = ("diff", "session_fsm:CustomerSession", self.CLASS, "--tries", "60")
        assert run(*arguments).exit_code == 3
        assert run(*arguments, "--context", '{"reason": "x"}').exit_code == 1

    def test_mutants_takes_it(self, monkeypatch):
        def survived(found, *_, **__):
            return Score(tuple(Result(mutant, Verdict.SURVIVED) for mutant in found), len(found))

        monkeypatch.setattr("session_fsm.cli.commands.mutants.run_tests", survived)
        arguments = ("mutants", "--class", self.CLASS, "--kinds", "drop-rule")
        assert "No test was found: no difference in" in run(*arguments, "--", "true").output
        shown = run(*arguments, "--context", '{"reason": "x", "actor": "mallory"}', "--", "true").output
        assert 'session.cancel(context={"reason": "x", "actor": "mallory"})' in shown
        assert "No test was found" not in shown

    def test_coverage_takes_it(self, tmp_path):
        with recording() as recorder:
            CustomerSession.create("order-1")
        (tmp_path / "counts.json").write_text(recorder.to_json())
        assert HINT in run("coverage", "counts.json", "--class", self.CLASS).output
        assert HINT not in run("coverage", "counts.json", "--class", self.CLASS, "--context", '{"reason": "x"}').output

    @pytest.mark.parametrize("given", ["reason", "[1]"])
    def test_a_context_that_is_no_object_is_refused_with_an_example(self, given):
        result = run("lint", "--class", self.CLASS, "--context", given)
        assert result.exit_code == 2
        assert 'write it as {"reason": "ordered twice"}' in " ".join(result.stderr.split())
