"""The HTML page of a session: its board, its history, the coverage."""

import attrs
import pytest
from diagram_cases import CASES, PLAIN, session_with_history
from html_pages import HTML, by_id, data_of, of_case, page_of, panel, rows, visible_text

from session_fsm import State, Trigger
from session_fsm.diagrams.model import HistoryEntry, Overlay, overlay


class TestOverlays:
    """The board, the history and the coverage are in the page."""

    def test_the_board_has_all_five_triggers_with_the_reasons(self) -> None:
        case = CASES["refused"]
        found = rows(of_case(case), "board")
        assert [row[0] for row in found] == [trigger for trigger in Trigger if trigger is not Trigger.CREATE]
        assert found[0] == ["update", "✓ allowed", "leads to open"]
        reasons = " ".join(case.overlay.board[1].reasons)
        assert found[1] == ["close", "✗ refused", reasons]
        assert found[4] == ["reopen", "✗ refused", "Only closed sessions can be reopened"]

    def test_the_panel_of_the_current_state_shows_the_board(self) -> None:
        root = of_case(CASES["refused"])
        text = visible_text(panel(root, "open"))
        assert text.startswith("open here now")
        assert "✗ refused now: A session must hold a coupon code by the time it closes." in text
        assert "✓ allowed now" in text
        assert "reopen: Only closed sessions can be reopened" in text
        assert "here now" not in visible_text(panel(root, "closed"))

    def test_the_page_shows_the_session_id(self) -> None:
        assert "order-1042 is closed now." in visible_text(of_case(CASES["closed"]))
        assert "The session is open now." in visible_text(page_of(PLAIN, Overlay(current=State.OPEN)))

    def test_the_history_is_listed_in_order_with_refusals(self) -> None:
        root = of_case(CASES["travelled"])
        items = [visible_text(item) for item in by_id(root, "moments")]
        assert len(items) == 14
        assert items[0] == "Step 1 create: new -> open (talon_session_created) 2026-03-01 09:00:00 UTC"
        assert items[6].startswith("After 6 ✗ close is refused: Only open sessions can be closed")
        assert items[7].startswith("Step 7 reopen")
        assert [moment["state"] for moment in data_of(root)["history"]][5:9] == ["closed", "closed", "open", "open"]
        assert data_of(root)["history"][10]["edges"] == ["T-07"]
        assert data_of(root)["start"] == "partially_returned"

    @pytest.mark.parametrize(
        ("at", "shown"),
        [
            ("2026-03-01T09:00:00.123456+00:00", "2026-03-01 09:00:00 UTC"),
            ("2026-03-01T09:00:00+05:30", "2026-03-01 09:00:00 +05:30"),
            ("noon", "noon"),
        ],
    )
    def test_a_time_is_shown_to_the_second_with_its_zone(self, at: str, shown: str) -> None:
        root = page_of(PLAIN, Overlay(history=(HistoryEntry(text="create", state=State.OPEN, at=at),)))
        (time,) = root.iter(f"{HTML}time")
        assert (visible_text(time), time.attrib["datetime"]) == (shown, at)

    def test_the_lead_does_not_repeat_the_title(self) -> None:
        for diagram, lead in (
            (PLAIN, "Its states, its transitions, and the rules that refuse them."),
            (attrs.evolve(PLAIN, title="Orders"), "CustomerSession: its states, its transitions, and the rules that"),
        ):
            (header,) = page_of(diagram).iter(f"{HTML}header")
            assert visible_text(header).startswith(f"{diagram.title} {lead}")

    def test_events_without_a_session_start_the_page_in_their_last_state(self) -> None:
        _, events = session_with_history()
        root = page_of(PLAIN, overlay(PLAIN, events=events[:6]))
        assert data_of(root)["start"] == "closed"
        assert not [element for element in root.iter() if element.get("id") == "board"]

    def test_steps_without_entries_are_listed_as_history(self) -> None:
        root = page_of(PLAIN, Overlay(steps=(("T-01",), ("T-04",), ()), refusals=("No.",)))
        assert [visible_text(item) for item in by_id(root, "moments")] == [
            "Step 1 create: new -> open",
            "Step 2 close: open -> closed",
            "Step 3 no row of this table (no row of this table)",
            "After 3 ✗ No.",
        ]
        assert [moment["state"] for moment in data_of(root)["history"]] == ["open", "closed", "closed", "closed"]

    def test_a_refused_creation_creates_no_session(self) -> None:
        root = page_of(PLAIN, Overlay(refusals=("No.",)))
        assert data_of(root)["history"][0]["state"] == "new"
        assert data_of(root)["start"] == "new"

    def test_untested_edges_and_outcomes_are_marked(self) -> None:
        root = of_case(CASES["tested"])
        assert {row[0]: row[-1] for row in rows(root, "table")}["T-05"] == "! never"
        assert rows(root, "table")[0][-1] == "once"
        entries = [visible_text(entry) for entry in by_id(root, "rules").iter(f"{HTML}div")]
        assert entries[0].endswith("passed once, ! never refused")
        assert entries[1].endswith("passed 2 times, refused once")
