"""What a report says: changes, examples, coverage, and its files."""

import gc
import json
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import html5lib
import pytest
from command_line import recording, reopened, returned, run, update
from text_diagrams import unescaped
from traffic import NewShop, OldShop, traffic, write_lines

from session_fsm import CustomerSession, InvalidValue, Trigger, rule
from session_fsm.backtest import BacktestError, Change, Report, backtest
from session_fsm.backtest.examples import test_module as module_of
from session_fsm.backtest.page import _why
from session_fsm.backtest.page_parts import share
from session_fsm.diagrams import FormatLike
from session_fsm.testing import recording as recorded


@rule("never_again", on=[Trigger.REOPEN])
def raises(session: CustomerSession) -> bool:
    """An order is never reopened."""
    raise RuntimeError("the rule is broken")


class Broken(CustomerSession):
    """A class with a rule that raises."""

    rules = (*CustomerSession.rules, raises)


def item(price: float, quantity: int = 1) -> dict[str, Any]:
    return {"sku": "MUG", "quantity": quantity, "price": price}


def at(line: dict[str, Any], time: str) -> dict[str, Any]:
    return line | {"time": time}


ORDERS = [
    # Newly refused: 20 is less than 30, and the return after it is a consequence.
    at(update("small", state="closed", cartItems=[item(20)], couponCodes=["XMAS"]), "2026-01-01T10:00:00Z"),
    at(returned("small", {"position": 0}), "2026-01-02T10:00:00Z"),
    # Newly allowed: no coupon code.
    at(update("codeless", cartItems=[item(45.5)]), "2026-01-31T23:30:00-02:00"),
    at(update("codeless", state="closed"), "2026-02-02T10:00:00Z"),
    # Refused for another reason.
    at(update("neither", state="closed", cartItems=[item(1.25)]), "2026-02-03T10:00:00Z"),
    # Unchanged.
    at(update("fine", state="closed", cartItems=[item(30.005, 2)], couponCodes=["XMAS"]), "2026-02-04T10:00:00Z"),
    at(update("fine", state="closed"), "2026-02-05T10:00:00Z"),
]


def played(tmp_path: Path, *lines: dict[str, Any] | str, **options: Any) -> Report:
    file = tmp_path / "recording.jsonl"
    file.write_text(recording(*lines), encoding="utf-8")
    return backtest(file, **{"kind": NewShop, "against": OldShop, **options})


class TestChanges:
    """What differs between two classes."""

    def test_every_change_is_named(self, tmp_path: Path) -> None:
        changed = played(tmp_path, *ORDERS).changed.to_pylist()
        assert [(row["session"], row["number"], row["change"], row["consequence"]) for row in changed] == [
            ("codeless", 2, Change.NEWLY_ALLOWED, False),
            ("neither", 1, Change.OTHER_REASON, False),
            ("small", 1, Change.NEWLY_REFUSED, False),
            ("small", 2, Change.NEWLY_REFUSED, True),
        ]

    def test_a_verdict_has_what_both_classes_say(self, tmp_path: Path) -> None:
        row = played(tmp_path, *ORDERS).changed.to_pylist()[2]
        assert row["codes"] == ["order_too_small"]
        assert row["reasons"] == ["An order must be worth at least 30."]
        assert (row["outcome"], row["state"], row["total"]) == ("refused", None, None)
        assert (row["against_outcome"], row["against_state"], row["against_total"]) == ("applied", "closed", "20")
        assert (row["trigger"], row["dry"], row["line"]) == ("create", False, 1)

    def test_sessions_count_under_their_first_change_with_their_totals(self, tmp_path: Path) -> None:
        report = played(tmp_path, *ORDERS)
        assert report.summary["changed"] == {
            "newly_refused": {"sessions": 1, "total": "20"},
            "newly_allowed": {"sessions": 1, "total": "45.5"},
            "other_reason": {"sessions": 1, "total": "0"},
            "other_state": {"sessions": 0, "total": "0"},
        }
        assert report.summary["sessionsThatEndElsewhere"] == 2
        assert (report.summary["refused"], report.summary["refusedByBoth"]) == (4, 2)
        assert {(row["state"], row["against"]) for row in report.ends.to_pylist()} == {
            ("none", "partially_returned"),
            ("closed", "open"),
            ("none", "none"),
            ("closed", "closed"),
        }

    def test_counts_are_by_trigger_code_and_month_in_utc(self, tmp_path: Path) -> None:
        report = played(tmp_path, *ORDERS)
        assert {tuple(row.values()) for row in report.changes.to_pylist()} == {
            ("newly_refused", "create", "order_too_small", "2026-01", "cause", 1),
            ("newly_refused", "return_items", "unknown_session", "2026-01", "consequence", 1),
            ("newly_allowed", "close", "coupon_code_required", "2026-02", "cause", 1),
            ("other_reason", "create", "order_too_small", "2026-02", "cause", 1),
        }
        assert ("create", "applied", "2026-02", 2) in {tuple(row.values()) for row in report.by_trigger.to_pylist()}
        assert ("close", "wrong_state", "2026-02", 1) in {tuple(row.values()) for row in report.by_code.to_pylist()}

    def test_another_state_or_total_is_a_change(self, tmp_path: Path) -> None:
        lines = [
            update("A", state="closed", cartItems=[item(50, 3)], couponCodes=["XMAS"]),
            returned("A", {"position": 0, "quantity": 2}),
            returned("A", {"position": 0, "quantity": 1}),
            update("B", cartItems=[item(3)], couponCodes=["XMAS"]),
            update("B", state="closed"),
            update("B", couponCodes=[]),
        ]
        changes = [
            (row["session"], row["number"], row["change"]) for row in played(tmp_path, *lines).changed.to_pylist()
        ]
        assert changes == [
            ("A", 3, Change.NEWLY_REFUSED),
            ("B", 2, Change.NEWLY_REFUSED),
            ("B", 3, Change.NEWLY_ALLOWED),
        ]
        other = played(tmp_path, update("C", cartItems=[item(31)], state="closed"), update("C", cartItems=[item(8)]))
        assert [row["change"] for row in other.changed.to_pylist()] == [Change.NEWLY_ALLOWED, Change.NEWLY_REFUSED]
        dry = played(
            tmp_path, update("D", cartItems=[item(31)], couponCodes=["X"]), update("D", state="closed") | {"dry": True}
        )
        assert dry.changed.to_pylist()[0]["dry"] is True

    def test_a_session_that_only_one_class_has_is_in_another_state(self, tmp_path: Path) -> None:
        lines = [update("E", state="closed", cartItems=[item(5)], couponCodes=["X"]), update("E", cartItems=[item(9)])]
        changes = [row["change"] for row in played(tmp_path, *lines).changed.to_pylist()]
        assert changes == [Change.NEWLY_REFUSED, Change.NEWLY_ALLOWED]
        lines = [
            update("F", state="closed", cartItems=[item(35)]),
            update("F", cartItems=[item(9)], couponCodes=["X"]),
            reopened("F"),
        ]
        changes = [row["change"] for row in played(tmp_path, *lines).changed.to_pylist()]
        assert changes == [Change.NEWLY_ALLOWED, Change.NEWLY_REFUSED, Change.NEWLY_ALLOWED]

    def test_a_value_that_only_one_class_can_read_is_refused_by_the_other(self, tmp_path: Path) -> None:
        body = {"integrationId": "S", "created": "2026-01-01T00:00:00Z"}
        lines = [{"operation": "snapshot", "sessionId": "S", "body": body}, update("S", referralCode="FRIEND-1")]
        report = played(tmp_path, *lines, kind=Strict, against=OldShop)
        (row,) = report.changed.to_pylist()
        assert (row["change"], row["codes"], row["trigger"]) == (Change.NEWLY_REFUSED, ["unreadable"], "update")
        assert report.examples[0].test == ""
        assert played(tmp_path, *lines, kind=Strict, against=Strict).summary["unreadable"] == 1
        alone = played(tmp_path, *lines, kind=Strict, against=None)
        assert (alone.summary["unreadable"], alone.summary["operations"], alone.summary["snapshots"]) == (1, 0, 1)

    def test_nothing_changes_between_equal_classes(self, tmp_path: Path) -> None:
        report = played(tmp_path, *ORDERS, against=NewShop)
        assert report.changed.num_rows == 0
        assert not report.is_refusing
        assert report.refused.num_rows == 4


class Strict(CustomerSession):
    """A class that cannot read a referral code."""

    def put(self, *arguments: Any, **keywords: Any) -> Any:
        """Refuse the value."""
        raise InvalidValue("/referralCode", "is not read here")


class TestOneClass:
    """Without a class to compare with, the report is about what is refused."""

    def test_the_sessions_with_a_refusal_are_counted_with_their_totals(self, tmp_path: Path) -> None:
        report = played(tmp_path, *ORDERS, against=None)
        assert report.summary["changed"] == {"refused": {"sessions": 3, "total": "60.010"}}
        assert report.is_refusing
        assert repr(report) == "<Report: 7 operations of 4 sessions, 4 refused>"
        assert (report.kind, report.against) == (NewShop, None)

    def test_a_session_may_start_from_a_snapshot(self, tmp_path: Path) -> None:
        body = {"integrationId": "S", "created": "2026-01-01T00:00:00Z", "state": "closed", "cartItems": [item(40, 3)]}
        snapshot = {"operation": "snapshot", "sessionId": "S", "body": body}
        lines = [snapshot, returned("S", {"position": 0, "quantity": 2}), returned("S", {"position": 0})]
        report = played(tmp_path, *lines, against=None)
        assert [row["number"] for row in report.refused.to_pylist()] == [2]
        assert report.summary["snapshots"] == 1
        assert "session = wire.loads(" in report.examples[0].test
        exec(report.tests(), scope := {"__name__": "tests"})
        scope["test_return_items_is_refused_too_many_returns"]()

    def test_a_rule_that_raises_is_counted_as_errored(self, tmp_path: Path) -> None:
        report = played(tmp_path, update("A", state="closed"), reopened("A"), kind=Broken, against=None)
        assert report.coverage.counts["never_again:errored"] == 1
        assert report.refused.to_pylist()[0]["codes"] == ["rule_failed"]


class TestOrder:
    """The operations of a session are ordered by time."""

    def test_times_of_several_zones_are_compared_as_instants(self, tmp_path: Path) -> None:
        lines = [
            at(update("A", state="closed"), "2026-01-01T12:00:00+03:00"),
            at(update("A"), "2026-01-01T08:59:59Z"),
            at(reopened("A"), "2026-01-01T03:00:01-06:00"),
        ]
        report = played(tmp_path, *lines, kind=CustomerSession, against=None, verdicts="all")
        assert [row["trigger"] for row in report.verdicts.to_pylist()] == ["create", "close", "reopen"]

    def test_equal_and_missing_times_keep_the_order_of_the_lines(self, tmp_path: Path) -> None:
        time = "2026-01-01T12:00:00Z"
        lines = [
            at(update("A"), time),
            at(update("A", state="closed"), time),
            reopened("A"),
            update("A", state="cancelled"),
        ]
        report = played(tmp_path, *lines, kind=CustomerSession, against=None, verdicts="all")
        assert [row["state"] for row in report.verdicts.to_pylist()] == ["open", "closed", "open", "cancelled"]

    def test_a_session_without_any_time_is_played_at_the_epoch_and_has_no_month(self, tmp_path: Path) -> None:
        report = played(tmp_path, update("A"), kind=CustomerSession, against=None, verdicts="all")
        assert report.verdicts.to_pylist()[0]["time"] is None
        assert report.by_trigger.to_pylist() == [
            {"trigger": "create", "outcome": "applied", "month": "", "operations": 1}
        ]

    def test_a_session_of_ten_thousand_operations_in_two_files(self, tmp_path: Path) -> None:
        lines = [json.dumps(update("long", couponCodes=[f"CODE-{number}"])).encode() for number in range(10_000)]
        files = [write_lines(tmp_path / f"{n}.jsonl", lines[n * 5000 : n * 5000 + 5000]) for n in range(2)]
        report = backtest(files, verdicts="all")
        assert report.verdicts.column("number").to_pylist() == list(range(1, 10_001))
        assert report.summary["sessions"] == 1


class TestExamples:
    """The shortest session for each change."""

    def test_an_example_is_a_recording_for_the_replay(self, tmp_path: Path) -> None:
        report = played(tmp_path, *ORDERS)
        example = next(example for example in report.examples if example.change == Change.NEWLY_REFUSED)
        assert (example.session, example.trigger, example.codes) == ("small", "create", ("order_too_small",))
        result = run("replay", "-", "--class", "traffic:NewShop", stdin=example.recording)
        assert (result.exit_code, result.stdout.count("order_too_small")) == (1, 2)

    def test_the_shortest_comes_first(self, tmp_path: Path) -> None:
        lengths = [example.length for example in played(tmp_path, *ORDERS).examples]
        assert lengths == sorted(lengths)

    def test_the_tests_pass(self, tmp_path: Path) -> None:
        file = write_lines(tmp_path / "recording.jsonl", traffic(300))
        for against in (OldShop, None):
            report = backtest(file, kind=NewShop, against=against)
            exec(report.tests(), scope := {"__name__": "tests"})
            tests = [value for name, value in scope.items() if name.startswith("test_")]
            assert len(tests) == sum(bool(example.test) for example in report.examples) > 3
            for test in tests:
                test()

    def test_two_examples_have_tests_with_two_names(self, tmp_path: Path) -> None:
        report = played(tmp_path, *ORDERS)
        assert module_of([report.examples[0]] * 2, NewShop).count("def test_") == 2
        assert "_2() -> None:" in module_of([report.examples[0]] * 2, NewShop)

    def test_without_a_test_the_module_imports_the_class_only(self) -> None:
        assert module_of([], NewShop) == "from traffic import NewShop\n\n\n"


class TestCoverage:
    """Coverage is that of a recorder during the replay."""

    @pytest.mark.parametrize("kind", [NewShop, OldShop])
    def test_the_counts_are_those_of_a_recorder(self, kind: type[CustomerSession], tmp_path: Path) -> None:
        lines = [line for line in traffic(200) if b'"dry"' not in line]
        file = write_lines(tmp_path / "recording.jsonl", lines)
        with recorded(kind) as recorder:
            report = backtest(file, kind=kind)
        expected = recorder.of(kind)
        assert report.coverage.counts == expected.counts
        # The recorder does not see what `put` refuses before it has a trigger.
        assert all(number <= report.coverage.refusals[cell] for cell, number in expected.refusals.items())
        assert f"occurred {expected.rows['T-04']} times" in report.picture()

    @pytest.mark.parametrize("name", ["mermaid", "dot", "plantuml", "markdown", "svg", "html"])
    def test_pictures_say_occurred_and_not_tested(self, name: FormatLike, tmp_path: Path) -> None:
        text = unescaped(played(tmp_path, *ORDERS).picture(name)).lower()
        assert "occurred once" in text
        assert "never occurred" in text
        assert "tested" not in text


class TestFiles:
    """A report is written as Parquet, JSON, HTML, recordings and tests."""

    def test_the_directory_holds_the_report(self, tmp_path: Path) -> None:
        report = played(tmp_path, *ORDERS, "nonsense")
        report.write(tmp_path / "out")
        names = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
        assert names == [
            "examples/001-newly_refused-create-order_too_small.jsonl",
            "examples/002-other_reason-create-order_too_small.jsonl",
            "examples/003-newly_allowed-close-coupon_code_required.jsonl",
            "examples/test_examples.py",
            "report.html",
            "report.json",
            "unreadable.parquet",
            "verdicts.parquet",
        ]
        document = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"), parse_float=Decimal)
        assert document["operations"] == 7
        assert document["unreadable"] == 1
        assert document["coverage"]["T-01"] == 1
        assert document["examples"][0]["session"] == "small"

    def test_the_files_of_a_report_go_with_it(self, tmp_path: Path) -> None:
        report = played(tmp_path, *ORDERS)
        folder = report._verdicts.parent
        assert folder.is_dir()
        del report
        gc.collect()
        assert not folder.exists()

    def test_a_run_that_fails_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

        class Failing:
            def rows(self, *_: Any) -> Any:
                raise BacktestError("no more")

        file = write_lines(tmp_path / "one.jsonl", traffic(2))
        with pytest.raises(BacktestError, match="no more"):
            backtest(file, engine=Failing())
        assert list(tmp_path.iterdir()) == [file]


HOSTILE_TEXTS = ("<script>alert(1)</script>", "\"'&", "</pre></style>", "\u202e\u0000\n<b>", "]]>", "<!--", "x" * 900)


class Reader(HTMLParser):
    """Collects the tags and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


class TestPage:
    """The page is complete, and holds nothing that runs."""

    @pytest.mark.parametrize("against", [OldShop, None, NewShop])
    def test_the_page_is_valid(self, against: type[CustomerSession] | None, tmp_path: Path) -> None:
        page = played(tmp_path, *ORDERS, "nonsense", against=against).html()
        html5lib.HTMLParser(strict=True).parse(page)

    def test_recorded_text_is_never_markup(self, tmp_path: Path) -> None:
        lines = [
            at(update(text, state="closed", couponCodes=[text[:90]], cartItems=[item(number)]), "2026-01-01T00:00:00Z")
            for number, text in enumerate(HOSTILE_TEXTS)
        ]
        page = played(tmp_path, *lines, json.dumps({"operation": "<script>"})).html()
        reader = Reader()
        reader.feed(page)
        assert "script" not in reader.tags
        assert "b" not in reader.tags
        assert not [name for name, _ in reader.attributes if name.startswith("on") or name == "style"]
        assert "default-src 'none'; style-src" in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        html5lib.HTMLParser(strict=True).parse(page)

    def test_the_result_stands_above(self, tmp_path: Path) -> None:
        pages = {
            "1 session would be newly refused</strong> (25 %), worth 20. 1 session would be newly allowed, worth 45.5.": {},
            "Nothing changes</strong> for 4 sessions.": {"against": NewShop},
            "4 operations would be refused</strong>, in 75 % of the sessions, worth 60.010.": {"against": None},
        }
        for said, options in pages.items():
            assert said in played(tmp_path, *ORDERS, **options).html()
        assert "Nothing is refused." in played(tmp_path, update("A"), against=None).html()
        assert "Nothing is newly refused first." in played(tmp_path, *ORDERS[2:5]).html()
        assert "without a time" not in played(tmp_path, *ORDERS).html()
        assert 'id="months"' not in played(tmp_path, update("A")).html()

    def test_long_lists_are_cut_and_say_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("_MOST_ROWS", "_MOST_EXAMPLES", "_MOST_UNREADABLE"):
            monkeypatch.setattr(f"session_fsm.backtest.page.{name}", 1)
        monkeypatch.setattr("session_fsm.backtest.page_parts._LONGEST", 30)
        page = played(tmp_path, *ORDERS, "nonsense", "more nonsense").html()
        assert "The first 1; all are in the table of verdicts." in page
        assert "And 2 further examples." in page
        assert "And 1 further line." in page
        assert "\n..." in page

    def test_an_empty_recording_has_a_page(self, tmp_path: Path) -> None:
        page = played(tmp_path).html()
        assert "Nothing changes</strong> for 0 sessions." in page
        html5lib.HTMLParser(strict=True).parse(page)

    def test_a_change_without_a_refusal_shows_both_states(self) -> None:
        row = {"reasons": [], "against_codes": [], "against_state": "open", "against_total": "1000", "state": "closed"}
        assert _why(row | {"total": "2.50"}) == "open, 1,000 before; closed, 2.50 now"

    def test_shares_are_never_rounded_to_nothing_or_all(self) -> None:
        assert [share(*pair) for pair in ((0, 0), (0, 9), (1, 5000), (1, 8), (4999, 5000), (5, 5))] == [
            *("", "0 %", "less than 0.1 %", "12.5 %", "99.9 %", "100 %"),
        ]
