"""Tests of `paths`: transitions, pairs of transitions, rules."""

import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from functools import cache
from itertools import pairwise

import pytest
from builders import EveryRuleSession

from session_fsm import CustomerSession, InvalidValue, SessionUpdate, State, Trigger, rule
from session_fsm.lifecycle import TABLE
from session_fsm.testing import recording
from session_fsm.testing.generation.covering_paths import START, Arc, fewest_paths
from session_fsm.testing.generation.path import Path, PathStep
from session_fsm.testing.generation.paths import paths
from session_fsm.testing.steps import Step

KINDS = [CustomerSession, EveryRuleSession]
PAIRS = {f"{a.id} {b.id}" for a in TABLE for b in TABLE if a.target is b.source}


@rule("nothing_comes_back", on=[Trigger.RETURN_ITEMS])
def nothing_comes_back():
    """Nothing comes back."""
    return False


@rule("reopened_too_late", on=[Trigger.REOPEN])
def reopening_is_the_second_change(session):
    """A session created closed is not reopened at once."""
    return session.update_count > 1


@rule("updated_too_often", on=[Trigger.UPDATE])
def sessions_are_updated_once(session):
    """Only a session that is as it was created is updated."""
    return session.update_count == 1


class NoReturns(CustomerSession):
    rules = (*CustomerSession.rules, nothing_comes_back)


class LateReopening(CustomerSession):
    rules = (*CustomerSession.rules, reopening_is_the_second_change)


class OneUpdate(CustomerSession):
    rules = (*CustomerSession.rules, sessions_are_updated_once)


@rule("reopened_late", on=[Trigger.REOPEN])
def only_what_is_young_is_reopened(session):
    """Only a session that has changed once at most since its creation is reopened."""
    return session.update_count <= 2


@rule("cancelled_late", on=[Trigger.CANCEL])
def an_open_session_is_cancelled_at_once(session):
    """An open session is cancelled only as it was created."""
    return session.state is not State.OPEN or session.update_count == 1


@rule("created_banned", on=[Trigger.CREATE])
def the_banned_create_nothing(profile_id):
    """The banned create nothing."""
    return profile_id != "banned"


@rule("order_anonymous", on=[Trigger.CREATE], target=State.CLOSED)
def orders_have_a_profile(profile_id):
    """A session created closed has a profile."""
    return bool(profile_id)


@rule("opened_by_friend", on=[Trigger.CREATE], target=State.OPEN)
def open_sessions_begin_without_a_referral(referral_code):
    """A session created open has no referral code."""
    return not referral_code


@rule("created_anonymous", on=[Trigger.CREATE, Trigger.UPDATE, Trigger.CLOSE])
def sessions_begin_with_a_profile(session, profile_id):
    """A session begins with a profile, which it may lose."""
    return session is not None or bool(profile_id)


@rule("updated_without_referral", on=[Trigger.UPDATE])
def the_referral_is_known(referral_code):
    """A session is updated to any referral code but NONE."""
    return referral_code != "NONE"


@rule("cancelled_anonymous", on=[Trigger.CANCEL])
def a_profile_cancels(profile_id):
    """Only a session with a profile is cancelled."""
    return bool(profile_id)


@rule("closed_late", on=[Trigger.CLOSE])
def sessions_are_closed_within_a_day(session, now):
    """A session is closed within a day."""
    return now - session.created <= timedelta(days=1)


@rule("cancelled_early", on=[Trigger.CANCEL])
def sessions_are_kept_for_two_days(session, now):
    """A session is cancelled after two days."""
    return now - session.created >= timedelta(days=2)


def ruled(*rules):
    """Return a session class with only these rules."""
    return type("RuledSession", (CustomerSession,), {"rules": rules})


class Restless(CustomerSession):
    """Has only rules with quickly found witnesses, and one that always refuses."""

    rules = (CustomerSession.rules[0], *CustomerSession.rules[3:6], nothing_comes_back)


@cache
def cached_paths(kind, cover="transitions"):
    """Return the result of `paths`; cached."""
    return paths(kind, cover)


def rows_of(path):
    state, rows = None, []
    for one in path.steps:
        ways = [r for r in TABLE if (r.source, r.trigger, r.target) == (state, one.step.trigger, one.target)]
        rows.append(ways[0].id)
        state = one.target
    return rows


@pytest.mark.parametrize("kind", KINDS)
def test_three_paths_cover_every_transition(kind):
    """Nothing follows T-05, T-06 and T-09, so that no path has two of them: three paths are the least."""
    result = cached_paths(kind)
    assert result.covered == tuple(row.id for row in TABLE)
    assert {row for path in result.paths for row in rows_of(path)} == set(result.covered)
    assert (len(result.paths), result.least) == (3, 3)
    assert (result.infeasible, result.missing) == ({}, ())


@pytest.mark.parametrize("kind", KINDS)
def test_the_number_of_steps_for_transitions_is_minimal(kind):
    """Three paths begin with three creations, two rows of which there are; the other eight rows take a step each."""
    assert sum(len(path.steps) for path in cached_paths(kind).paths) == 3 + 8


@pytest.mark.parametrize("kind", KINDS)
def test_seven_paths_cover_every_pair(kind):
    """Seven pairs end in a cancelled session, so that no path has two of them: seven paths are the least."""
    result = cached_paths(kind, "pairs")
    assert set(result.covered) == PAIRS
    assert {f"{a} {b}" for path in result.paths for a, b in pairwise(rows_of(path))} == PAIRS
    finals = sum(a.target is b.source and b.target is State.CANCELLED for a in TABLE for b in TABLE)
    assert (len(result.paths), result.least, finals) == (7, 7, 7)


def test_the_number_of_steps_for_pairs_is_minimal():
    """A path leaves a row that creates nothing only after it came there by a pair, so as often as a row has more pairs
    that leave it than pairs that lead there, a pair is taken once more.
    """
    entered = Counter(pair.split()[1] for pair in PAIRS)
    left = Counter(pair.split()[0] for pair in PAIRS)
    repeated = sum(max(0, left[row.id] - entered[row.id]) for row in TABLE if row.source is not None)
    result = cached_paths(CustomerSession, "pairs")
    assert sum(len(path.steps) - 1 for path in result.paths) == len(PAIRS) + repeated


@pytest.mark.parametrize("cover", ["transitions", "pairs"])
@pytest.mark.parametrize("kind", KINDS)
def test_paths_play_as_expected(kind, cover):
    for path in cached_paths(kind, cover).paths:
        session = path.play(kind)
        assert session.state is path.steps[-1].target
        assert path.story.play(kind).state is session.state
        names = {"CustomerSession": kind}
        exec("from decimal import Decimal\nfrom session_fsm import *\n", names)
        exec(path.code().replace("CustomerSession", kind.__name__), {**names, kind.__name__: kind})
        assert path.json_lines().count("\n") == len(path.steps)


def test_stories_are_those_of_the_paths():
    result = cached_paths(CustomerSession)
    assert result.stories == tuple(path.story for path in result.paths)


def test_an_infeasible_row_has_a_reason():
    result = paths(NoReturns, budget=100)
    assert list(result.infeasible) == ["T-07", "T-09", "T-10"]
    assert "nothing_comes_back" in result.infeasible["T-07"]
    assert result.missing == ()
    assert len(result.paths) == result.least == 2
    assert "infeasible: T-07: T-07 fires: no witness" in str(result)


def test_an_infeasible_pair_has_a_reason_and_the_rest_is_covered():
    result = paths(LateReopening, "pairs", budget=300)
    assert list(result.infeasible) == ["T-02 T-08"]
    assert "reopened_too_late" in result.infeasible["T-02 T-08"]
    assert set(result.covered) == PAIRS - {"T-02 T-08"}
    assert result.missing == ()
    assert len(result.paths) == result.least == 7


def test_a_forbidden_sequence_is_split_into_several_paths():
    result = paths(LateReopening, budget=300)
    assert result.covered == tuple(row.id for row in TABLE)
    assert (result.infeasible, result.missing) == ({}, ())
    for path in result.paths:
        path.play(LateReopening)


def test_a_single_allowed_update_makes_pairs_infeasible():
    result = paths(OneUpdate, "pairs", budget=300)
    assert list(result.infeasible) == ["T-03 T-03", "T-08 T-03"]
    assert set(result.covered) == PAIRS - {"T-03 T-03", "T-08 T-03"}


def test_a_pair_after_a_forbidden_sequence_has_its_own_path():
    """T-04 T-08 is possible only after a creation; nothing follows it, so T-08 T-05 needs a separate path."""
    kind = ruled(only_what_is_young_is_reopened, an_open_session_is_cancelled_at_once)
    result = paths(kind, "pairs", budget=200)
    assert list(result.infeasible) == ["T-03 T-05", "T-08 T-05"]
    assert "cancelled_late" in result.infeasible["T-08 T-05"]
    assert set(result.covered) == PAIRS - set(result.infeasible)
    assert result.missing == ()
    assert len(result.paths) > result.least
    for path in result.paths:
        path.play(kind)


def test_an_unknown_cover_is_refused():
    with pytest.raises(InvalidValue, match="none of: transitions, pairs, rules"):
        paths(CustomerSession, "everything")


def test_paths_print_as_a_table():
    text = str(cached_paths(CustomerSession))
    assert text.splitlines()[:3] == [
        "transitions: 10 of 10 feasible in 3 paths; 3 at least",
        "path 1, 4 steps",
        "    1  create -> open",
    ]


def test_a_path_with_another_result_fails():
    wrong = Path((PathStep(Step("create"), State.CLOSED, "talon_session_created"),))
    with pytest.raises(AssertionError, match="step 1 of 1: expected create -> closed, but got create -> open"):
        wrong.play(CustomerSession)


def test_the_search_is_not_recorded():
    with recording(CustomerSession) as recorder:
        paths(CustomerSession)
    assert not any(recorder.of(CustomerSession).rows.values())


def test_a_graph_without_required_arcs_has_no_paths():
    row = TABLE[0]
    assert fewest_paths([Arc(START, "open", row)]) == []


def test_unreachable_arcs_are_ignored():
    row = TABLE[0]
    arcs = [Arc(START, "open", row, required=True), Arc("closed", "open", row, required=True)]
    assert fewest_paths(arcs) == [(row,)]


def test_paths_do_not_depend_on_the_hash_seed():
    code = (
        "from session_fsm import CustomerSession; from session_fsm.testing.generation.paths import paths;"
        "from session_fsm.testing.matrix import matrix_table; print(matrix_table(CustomerSession));"
        "print(*[path.code() for cover in ('transitions', 'pairs') for path in paths(CustomerSession, cover).paths])"
    )
    rule_paths = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(rule_paths) == 1
    assert "session.reopen()" in rule_paths.pop()


@pytest.mark.parametrize("kind", KINDS)
def test_two_paths_cover_all_rules(kind):
    """L-09 refuses a creation, which nothing follows; all else is shown by one further session."""
    result = paths(kind, "rules")
    codes = [one.code for one in kind.rules]
    assert set(result.covered) == {f"{code}:{outcome}" for code in codes for outcome in ("passed", "violated")}
    assert (result.missing, result.infeasible) == ((), {})
    assert len(result.paths) == result.least == 2
    for path in result.paths:
        path.play(kind)
    assert str(result.paths[-1]) == "create -> refused: state_not_creatable"


def rule_paths(kind):
    """Return the paths that show the rules of *kind*, each as a line, when all of them went as they say."""
    result = paths(kind, "rules", budget=200)
    assert result.missing == ()
    for path in result.paths:
        path.play(kind)
    return [str(path) for path in result.paths]


def test_a_redundant_path_is_left_out():
    """A session created closed passes both rules, so the open one, which passes the first, is redundant."""
    assert rule_paths(ruled(the_banned_create_nothing, orders_have_a_profile)) == [
        "create -> closed",
        "create -> refused: created_banned",
        "create -> refused: order_anonymous",
    ]


def test_rules_of_two_creations_take_two_paths():
    assert rule_paths(ruled(orders_have_a_profile, open_sessions_begin_without_a_referral)) == [
        "create -> open",
        "create -> closed",
        "create -> refused: order_anonymous",
        "create -> refused: opened_by_friend",
    ]


def test_a_rule_that_only_a_creation_violates_takes_a_separate_path():
    """The rule guards updates too, but passes them all."""
    assert rule_paths(ruled(sessions_begin_with_a_profile)) == [
        "create -> open",
        "create -> refused: created_anonymous",
    ]


def test_a_redundant_step_is_left_out():
    """The update that sets the profile also reaches the goal of the update before it."""
    (line,) = rule_paths(ruled(the_referral_is_known, a_profile_cancels))
    assert line == (
        "create -> open; cancel -> refused: cancelled_anonymous; update -> refused: updated_without_referral; "
        "update -> open; cancel -> cancelled"
    )


def test_times_of_a_path_do_not_decrease():
    """A late close is refused before the session is cancelled; one that is in time would have to come before both."""
    kind = ruled(sessions_are_closed_within_a_day, sessions_are_kept_for_two_days)
    for path in paths(kind, "rules", budget=200).paths:
        times = [now for _, now in path.story.timed()]
        assert times == sorted(times)
    assert any("closed_late" in line and "cancel -> cancelled" in line for line in rule_paths(kind))


def test_a_rule_that_never_passes_is_infeasible():
    result = paths(Restless, "rules", budget=500)
    assert "nothing_comes_back:passed" in result.infeasible
    assert "nothing_comes_back" in result.infeasible["nothing_comes_back:passed"]
    assert "nothing_comes_back:violated" in result.covered
    assert result.missing == ()


def test_a_refused_step_is_written_as_an_expected_refusal():
    path = Path((PathStep(Step("create", SessionUpdate(state="cancelled")), codes=("state_not_creatable",)),))
    assert path.play(CustomerSession) is None
    assert path.code() == (
        "with pytest.raises(TransitionRefused) as refusal:\n"
        '    session = CustomerSession.create("order-1", state="cancelled")\n'
        'assert {violation.code for violation in refusal.value.violations} == {"state_not_creatable"}'
    )
