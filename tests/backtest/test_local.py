"""A backtest on this machine gives the same as a loop over the replay, in one process and in several."""

import os
from pathlib import Path
from typing import Any

import pytest
from traffic import HOSTILE, ODD, NewShop, OldShop, as_rows, plain_loop, traffic, write_in_files, write_lines

from session_fsm import CustomerSession
from session_fsm.backtest import backtest

SESSIONS = int(os.environ.get("SESSION_FSM_BACKTEST_SESSIONS", "400"))
"""How many sessions are played; a session has five operations, as a rule."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_in_files(tmp_path_factory.mktemp("recordings"), traffic(SESSIONS))


def test_one_process_gives_the_verdicts_of_the_plain_loop(files: list[Path]) -> None:
    report = backtest(files, kind=NewShop, verdicts="all")
    assert as_rows(report.verdicts) == list(plain_loop(files, NewShop))


def test_two_processes_give_the_same_byte_for_byte(files: list[Path]) -> None:
    one, two = (backtest(files, kind=NewShop, against=OldShop, verdicts="all", jobs=jobs) for jobs in (1, 2))
    assert one.verdicts.equals(two.verdicts)
    assert one.unreadable.equals(two.unreadable)
    assert one.json() == two.json()


def test_by_default_only_refused_and_changed_operations_have_a_verdict(files: list[Path]) -> None:
    every = backtest(files, kind=NewShop, against=OldShop, verdicts="all").verdicts.to_pylist()
    some = backtest(files, kind=NewShop, against=OldShop).verdicts.to_pylist()
    assert some == [row for row in every if row["outcome"] == "refused" or row["change"]]


def test_lines_that_cannot_be_read_are_kept_with_their_place(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "hostile.jsonl", [*HOSTILE, b"", *ODD])
    report = backtest(file)
    unreadable = report.unreadable.to_pylist()
    assert [row["line"] for row in unreadable] == [*range(1, len(HOSTILE) + 1), len(HOSTILE) + 7]
    assert all(row["reasons"] and row["file"] == str(file) for row in unreadable)
    assert report.summary["unreadable"] == len(HOSTILE) + 1
    sessions = set(backtest(file, verdicts="all").verdicts.column("session").to_pylist())
    assert sessions == {"order-1", "a\0b", 'q"uote\\', "bom", "木"}


def test_a_class_that_is_defined_in_a_function_plays_in_this_process_only(tmp_path: Path) -> None:
    class Local(CustomerSession):
        pass

    file = write_lines(tmp_path / "one.jsonl", ODD)
    assert backtest(file, kind=Local).summary["operations"] == 7
    with pytest.raises(Exception, match="workers import the class by name"):
        backtest(file, kind=Local, jobs=2)


def test_amounts_keep_every_digit(tmp_path: Path) -> None:
    report = backtest(write_lines(tmp_path / "one.jsonl", ODD), verdicts="all")
    totals: dict[str, Any] = {row["session"]: row["total"] for row in report.verdicts.to_pylist()}
    assert totals["木"] == "0.3000000000000000166533"
