"""``session-fsm backtest``: what a class would have refused."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import on_terminal, recording, run, update

from session_fsm.cli.commands import backtest as command

MUG = {"sku": "MUG", "quantity": 1, "price": 20}
LINES = [
    update("small", state="closed", cartItems=[MUG], couponCodes=["XMAS"]),
    update("fine", state="closed", cartItems=[{**MUG, "price": 1234.5}], couponCodes=["XMAS"]),
    update("codeless", state="closed", cartItems=[{**MUG, "price": 50}]),
]
CLASSES = ("--class", "traffic:NewShop", "--against", "traffic:OldShop")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "recording.jsonl"
    path.write_text(recording(*LINES), encoding="utf-8")
    return path


class TestSummary:
    """The summary says what changed, for whom, and why."""

    def test_two_classes_are_compared(self, file: Path) -> None:
        result = run("backtest", file, *CLASSES)
        assert (result.exit_code, result.stderr) == (1, "")
        assert result.stdout.splitlines() == [
            "NewShop, compared with OldShop",
            "3 operations of 3 sessions were played.",
            "",
            "        1  sessions newly refused                            33.3 % of all, worth 20",
            "        1  sessions newly allowed                            33.3 % of all, worth 50",
            "        0  sessions refused for another reason",
            "        0  sessions in another state, or with another total",
            "        2  sessions end in another state",
            "        0  operations refused by both",
            "",
            "Why",
            "        1  coupon_code_required  create newly allowed",
            "        1  order_too_small       create newly refused",
            "",
            "The shortest example: create newly allowed (coupon_code_required) in codeless",
            f"  {json.dumps(LINES[2])}",
        ]

    def test_one_class_refuses(self, file: Path) -> None:
        result = run("backtest", file, "--class", "traffic:NewShop")
        assert result.exit_code == 1
        assert "        1  operations refused" in result.stdout
        assert "        1  sessions with a refusal  33.3 % of all, worth 0" in result.stdout
        assert "The shortest example: create refused (order_too_small) in small" in result.stdout

    def test_nothing_is_refused(self, file: Path) -> None:
        result = run("backtest", file)
        assert result.exit_code == 0
        assert "        0  operations refused" in result.stdout
        assert "Why" not in result.stdout

    def test_what_is_newly_allowed_only_ends_with_status_0(self, tmp_path: Path) -> None:
        path = tmp_path / "one.jsonl"
        path.write_text(recording(LINES[2]), encoding="utf-8")
        assert run("backtest", path, *CLASSES).exit_code == 0

    def test_lines_that_cannot_be_read_are_named_and_change_nothing(self, file: Path) -> None:
        with file.open("a", encoding="utf-8") as stream:
            stream.write("nonsense\n")
        result = run("backtest", file)
        assert result.exit_code == 0
        assert result.stderr.splitlines() == [
            "session-fsm: 1 line cannot be read, and was left out; the first:",
            f"session-fsm: {file}:4: the document is not JSON: Expecting value (line 1, column 1)",
        ]

    def test_long_lists_are_cut(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(command, "_MOST_ROWS", 1)
        monkeypatch.setattr(command, "_LONGEST", 20)
        with file.open("a", encoding="utf-8") as stream:
            stream.write(recording(update("late"), update("late", state="closed", cartItems=[MUG], couponCodes=["X"])))
        result = run("backtest", file, "--class", "traffic:NewShop")
        assert "and 1 further reason" in result.stdout
        assert '  {"operation": "updat...' in result.stdout

    def test_a_long_example_is_cut(self, tmp_path: Path) -> None:
        path = tmp_path / "long.jsonl"
        lines = [update("A") for _ in range(10)]
        path.write_text(recording(*lines, update("A", state="closed")), encoding="utf-8")
        assert "and 3 further lines" in run("backtest", path, "--class", "traffic:NewShop").stdout

    def test_json_is_the_report(self, file: Path) -> None:
        result = run("backtest", file, *CLASSES, "--json")
        assert json.loads(result.stdout)["changed"]["newly_refused"] == {"sessions": 1, "total": "20"}


class TestOutput:
    """The report is written where it is asked for."""

    def test_the_page_and_the_directory_are_written(self, file: Path, tmp_path: Path) -> None:
        result = run("backtest", file, *CLASSES, "--html", tmp_path / "page.html", "-o", tmp_path / "out", "--all")
        assert result.stdout.endswith(f"wrote {tmp_path / 'page.html'}\nwrote {tmp_path / 'out'}\n")
        assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
        assert (tmp_path / "out" / "report.html").is_file()

    def test_members_may_have_other_names(self, tmp_path: Path) -> None:
        path = tmp_path / "named.jsonl"
        path.write_text(recording({"operation": "update", "order": "A", "body": {}}), encoding="utf-8")
        assert "1 operation of 1 session" in run("backtest", path, "--column", "sessionId=order").stdout

    def test_progress_has_an_estimate_on_a_terminal(self, file: Path) -> None:
        shown = on_terminal("backtest", file, "--class", "session_fsm:CustomerSession")
        assert "playing" in shown
        assert "100 %" in shown
        assert "left" in shown


class TestErrors:
    """An error is one line on standard error, and status 2."""

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["none.jsonl"], "none.jsonl: there is no such file"),
            (
                ["none.jsonl", "--against", "nowhere:Shop"],
                "invalid value for '--against': there is no module 'nowhere'",
            ),
            (["none.jsonl", "--column", "sessionId"], "'sessionId' does not look like sessionId=order_id"),
            (["none.jsonl", "--column", "total=amount"], "'total' is none of: operation, sessionId"),
        ],
    )
    def test_a_wrong_argument_is_an_error(self, arguments: list[str], message: str) -> None:
        result = run("backtest", *arguments)
        assert result.exit_code == 2
        assert message in result.stderr
        assert result.stderr.count("\n") == 1

    def test_a_file_of_which_nothing_can_be_read_is_an_error(self, tmp_path: Path) -> None:
        path = tmp_path / "update.json"
        path.write_text('{"couponCodes": []}\n', encoding="utf-8")
        result = run("backtest", path)
        assert result.exit_code == 2
        assert "1 line cannot be read" in result.stderr

    def test_a_missing_extra_is_named(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in sys.modules if name.startswith("session_fsm.backtest")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        result = run("backtest", file)
        assert result.exit_code == 2
        assert result.stderr == (
            'session-fsm: session_fsm.backtest needs pyarrow; run: pip install "session-fsm[backtest]"\n'
        )

    def test_another_missing_module_is_an_error_of_its_own(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(_: str) -> Any:
            raise ModuleNotFoundError("No module named 'x'")

        monkeypatch.setattr(command, "import_module", missing)
        with pytest.raises(ModuleNotFoundError):
            run("backtest", file)

    def test_an_interrupt_ends_it_quietly(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*_: Any, **__: Any) -> Any:
            raise KeyboardInterrupt

        monkeypatch.setattr("session_fsm.backtest.backtest", interrupted)
        result = run("backtest", file)
        assert (result.exit_code, result.output) == (130, "")
