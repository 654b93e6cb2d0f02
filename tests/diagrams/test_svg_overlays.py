"""The overlays of the SVG picture: the board of a session, its history, the coverage."""

import attrs
from diagram_cases import (
    CASES,
    PLAIN,
    counts,
)
from pictures import (
    SVG,
    draw,
    groups,
    of_case,
    overlapping,
    texts,
    title_of,
)

from session_fsm import State
from session_fsm.diagrams.model import HistoryEntry, Overlay
from session_fsm.diagrams.svg.picture import render


class TestOverlays:
    """Overlays are shown by marks and in words."""

    def test_the_current_state_is_marked_and_its_transitions_are_allowed(self) -> None:
        root = of_case(CASES["closed"])
        here = {group.attrib["data-state"]: "here now" in texts(group) for group in groups(root, "state")}
        assert here == {"open": False, "closed": True, "partially_returned": False, "cancelled": False}
        marked = [group.attrib["data-edge"] for group in groups(root, "edge") if "allowed now" in texts(group)]
        assert marked == ["T-06", "T-07", "T-08"]
        assert "“order-1042” is closed. What is allowed now, and why the rest is refused" in texts(root)
        assert "refused: Only open sessions can be updated" in texts(root)

    def test_a_refused_transition_shows_the_reason(self) -> None:
        case = CASES["refused"]
        refused = {group.attrib["data-edge"]: group for group in groups(of_case(case), "edge")}["T-04"]
        assert "refused now" in texts(refused)
        reason = "A session must hold a coupon code by the time it closes."
        assert reason in " ".join(texts(refused))
        assert reason in title_of(refused)
        assert reason in refused.attrib["aria-label"]
        assert any("stroke-dasharray" in element.attrib for element in refused.iter(f"{SVG}path"))

    def test_without_a_board_the_marked_edges_are_listed(self) -> None:
        known = Overlay(current=State.OPEN, allowed=frozenset({"T-03"}), refused={"T-04": ("It is Sunday.",)})
        shown = texts(draw(PLAIN, known))
        assert "The session is open. What is allowed now, and why the rest is refused" in shown
        assert "refused: It is Sunday." in shown
        assert "allowed: leads to open" in shown

    def test_the_history_is_numbered_and_counted(self) -> None:
        case = CASES["travelled"]
        root = of_case(case)
        found = {group.attrib["data-edge"]: texts(group) for group in groups(root, "edge")}
        assert found["T-03"][-2:] == ["2 · 3 · 4 · 5 …", "5 times"]
        assert found["T-04"][-2:] == ["6 · 9", "2 times"]
        assert found["T-07"][-2:] == ["10", "refused once"]
        assert "In its history as step 2, 3, 4, 5, 8." in render(*case[:2], detail="full")
        assert "History: 11 steps, 3 refused" in texts(root)
        assert any(line.startswith("after step 6: close is refused") for line in texts(root))

    def test_a_step_without_a_matching_row_is_marked(self) -> None:
        shown = texts(draw(PLAIN, Overlay(steps=(("T-01",), ()))))
        assert "History: 2 steps" in shown
        assert "no row of this table" in shown

    def test_one_step_is_written_in_the_singular(self) -> None:
        assert "History: 1 step" in texts(draw(PLAIN, Overlay(steps=(("T-01",),))))

    def test_a_long_history_is_shortened_and_the_rest_is_counted(self) -> None:
        refusals = tuple(f"No. {index}" for index in range(20))
        root = draw(PLAIN, Overlay(steps=(("T-03",),) * 12_345, refusals=refusals), "simple")
        assert "and 12286 more" in texts(root)
        assert "and 12 more" in texts(root)
        assert overlapping(root) == []

    def test_refusals_without_steps_are_listed(self) -> None:
        assert "No." in texts(draw(PLAIN, Overlay(refusals=("No.",))))

    def test_a_refusal_before_the_first_step_is_after_step_0(self) -> None:
        entries = (
            HistoryEntry(text="create is refused", state=None, refused=True),
            HistoryEntry(text="create", state=State.OPEN),
        )
        assert "after step 0: create is refused" in texts(
            draw(PLAIN, Overlay(steps=((),), refusals=("create is refused",), history=entries))
        )

    def test_untested_edges_and_outcomes_are_marked(self) -> None:
        root = of_case(CASES["tested"])
        found = {group.attrib["data-edge"]: texts(group)[-1] for group in groups(root, "edge")}
        assert [number for number, said in found.items() if said == "never tested"] == ["T-05"]
        assert found["T-01"] == "tested once"
        assert found["T-02"] == "tested 4 times"
        assert "Tested: 9 of 10 transitions, 17 of 18 rule outcomes" in texts(root)
        assert "Never tested: cancel from open (T-05)" in texts(root)
        assert texts(groups(root, "legend")[0])[-1] == "passed once, never refused"
        assert texts(groups(root, "legend")[1])[-1] == "passed 2 times, refused once"

    def test_simple_detail_lists_untested_outcomes(self) -> None:
        assert "Never seen: state_not_creatable violated" in texts(of_case(CASES["tested-simple"]))

    def test_with_full_coverage_nothing_is_marked_as_untested(self) -> None:
        full = Overlay(counts=dict.fromkeys([*counts(PLAIN), "T-05"], 1))
        for detail in ("full", "simple"):
            shown = texts(draw(PLAIN, full, detail))
            assert "Tested: 10 of 10 transitions, 18 of 18 rule outcomes" in shown
            assert not any("never" in line.lower() for line in shown if line != "never tested")

    def test_several_overlays_can_be_combined(self) -> None:
        session, history = CASES["closed"].overlay, CASES["travelled"].overlay
        both = attrs.evolve(
            session, steps=history.steps, refusals=history.refusals, history=history.history, counts={"T-06": 2}
        )
        root = draw(PLAIN, both)
        assert overlapping(root) == []
        found = {group.attrib["data-edge"]: texts(group) for group in groups(root, "edge")}
        assert found["T-06"][-2:] == ["allowed now", "tested 2 times"]
