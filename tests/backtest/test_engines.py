"""Workers that are killed, classes that cannot travel, and runs that go on where they were."""

from pathlib import Path
from typing import Any

import pytest
from fragile import Doomed, Fragile
from traffic import NewShop, OldShop, traffic, write_in_files, write_lines

import session_fsm.backtest.local as local_engine
from session_fsm import CustomerSession
from session_fsm.backtest import BacktestError, LocalEngine, WorkerLost, backtest
from session_fsm.backtest.extras import needed
from session_fsm.backtest.job import Job
from session_fsm.backtest.playing import play
from session_fsm.backtest.run import backtest as run_backtest

LINES = traffic(30)
PLAY = local_engine._play


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "recording.jsonl", LINES)


class TestLostWorkers:
    """A job never ends with a short result."""

    def test_a_worker_that_is_killed_is_replaced(
        self, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SESSION_FSM_TEST_MARK", str(tmp_path / "mark"))
        report = backtest(file, kind=Fragile, jobs=2, verdicts="all")
        assert (tmp_path / "mark").exists()
        assert report.verdicts.equals(backtest(file, kind=NewShop, verdicts="all").verdicts)

    def test_workers_that_are_killed_again_and_again_end_the_job(self, file: Path) -> None:
        with pytest.raises(WorkerLost, match="worker processes ended 3 times before their work was done"):
            backtest(file, kind=Doomed, jobs=2)


class TestClasses:
    """A class travels by name."""

    def test_a_class_of_a_script_cannot_travel(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        kind = type("Script", (CustomerSession,), {"__module__": "__main__"})
        with pytest.raises(BacktestError, match=r"__main__:Script is defined in the script that runs; workers import"):
            backtest(file, kind=kind, jobs=2)

    def test_a_name_that_leads_to_another_class_cannot_travel(self, file: Path) -> None:
        kind = type("NewShop", (CustomerSession,), {"__module__": "traffic"})
        with pytest.raises(BacktestError, match=r"traffic:NewShop names another class"):
            backtest(file, kind=NewShop, against=kind, jobs=2)

    def test_a_worker_that_cannot_import_the_class_says_so(self) -> None:
        with pytest.raises(
            BacktestError, match="a worker cannot import the session class: there is no module 'nowhere'"
        ):
            Job(kind="nowhere:Shop").kinds()

    def test_a_worker_imports_both_classes(self) -> None:
        assert Job(kind="traffic:NewShop", against="traffic:OldShop", path=("/nowhere",)).kinds() == (NewShop, OldShop)
        assert Job(kind="traffic:NewShop").kinds() == (NewShop, None)

    def test_a_line_that_was_assigned_to_another_session_ends_the_job(self) -> None:
        pa = needed("pyarrow")
        batch = pa.record_batch(
            [["order-2"], [0], [1], [b'{"operation": "update", "sessionId": "order-1", "body": {}}'], [None]],
            schema=local_engine.LINES,
        )
        with pytest.raises(
            BacktestError, match=r"one.jsonl:1 was assigned to the session 'order-2', but belongs to 'order-1'"
        ):
            list(play([batch], Job(kind="traffic:NewShop", files=("one.jsonl",)), (NewShop, None)))


class TestRestart:
    """A run in an output directory goes on where it was."""

    def interrupted(self, monkeypatch: pytest.MonkeyPatch, after: int) -> list[int]:
        """Let a run be interrupted when it has played *after* partitions, and return the list of those played."""
        played: list[int] = []

        def play_some(work: Any, partition: int, kinds: Any = None) -> None:
            if len(played) == after:
                raise KeyboardInterrupt
            if not work.result(partition).exists():
                played.append(partition)
            PLAY(work, partition, kinds)

        monkeypatch.setattr(local_engine, "_play", play_some)
        return played

    def test_finished_partitions_are_not_played_again(
        self, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(local_engine, "_PARTITION", 4000)
        expected = backtest(file, kind=NewShop)
        first = self.interrupted(monkeypatch, 2)
        with pytest.raises(KeyboardInterrupt):
            backtest(file, kind=NewShop, output=tmp_path / "out")
        second = self.interrupted(monkeypatch, 99)
        report = backtest(file, kind=NewShop, output=tmp_path / "out")
        assert (len(first), set(first) & set(second)) == (2, set())
        assert report.json() == expected.json()
        assert not (tmp_path / "out" / ".backtest").exists()

    @pytest.mark.parametrize("change", ["file", "class", "options"])
    def test_another_run_starts_anew(
        self, change: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(local_engine, "_PARTITION", 4000)
        self.interrupted(monkeypatch, 2)
        with pytest.raises(KeyboardInterrupt):
            backtest(file, kind=NewShop, output=tmp_path / "out")
        if change == "file":
            write_lines(file, LINES[1:])
        options: dict[str, Any] = {"options": {"verdicts": "all"}, "class": {"against": OldShop}}.get(change, {})
        played = self.interrupted(monkeypatch, 99)
        report = backtest(file, kind=NewShop, output=tmp_path / "out", **options)
        assert 0 in played
        assert report.json() == backtest(file, kind=NewShop, **options).json()

    def test_finished_parts_are_not_read_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        files = write_in_files(tmp_path, LINES)
        self.interrupted(monkeypatch, 0)
        with pytest.raises(KeyboardInterrupt):
            backtest(files, kind=NewShop, output=tmp_path / "out")
        self.interrupted(monkeypatch, 99)
        monkeypatch.setattr(local_engine, "read", None)
        assert backtest(files, kind=NewShop, output=tmp_path / "out").summary["sessions"] > 30


class TestOptions:
    """What cannot be meant is an error."""

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"verdicts": "some"}, "'some' is none of: changed, all"),
            ({"jobs": 0}, "0 is no number of processes"),
            ({"engine": "cloud"}, "'cloud' is none of: local, spark"),
        ],
    )
    def test_a_wrong_option_is_an_error(self, options: dict[str, Any], message: str, file: Path) -> None:
        with pytest.raises(BacktestError, match=message):
            run_backtest(file, **options)

    def test_progress_is_reported_for_each_part_and_partition(self, file: Path) -> None:
        told: list[tuple[str, int, int]] = []
        backtest(file, progress=lambda *step: told.append(step))
        assert told == [("read", 0, 1), ("read", 1, 1), ("play", 0, 1), ("play", 1, 1)]

    def test_an_engine_is_chosen_by_its_name(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        spark = pytest.importorskip("session_fsm.backtest.spark", reason="Spark is an extra of its own")
        monkeypatch.setattr(spark, "SparkEngine", LocalEngine)
        assert backtest(file, engine="spark").json() == backtest(file, engine="local").json()

    def test_every_process_has_the_same_number_of_partitions(
        self, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(local_engine, "_PARTITION", file.stat().st_size // 2)
        monkeypatch.setattr(local_engine, "_LEAST", 0)
        told: list[tuple[str, int, int]] = []
        report = backtest(file, kind=NewShop, jobs=2, progress=lambda *step: told.append(step))
        assert told[-1] == ("play", 4, 4)
        assert report.json() == backtest(file, kind=NewShop).json()

    def test_an_engine_of_ones_own_is_one_class(self, file: Path) -> None:
        class Loud(LocalEngine):
            def rows(self, sources: Any, job: Any, kinds: Any, folder: Any, progress: Any) -> Any:
                told.append(len(sources))
                return super().rows(sources, job, kinds, folder, progress)

        told: list[int] = []
        assert backtest(file, engine=Loud()).summary["sessions"] > 30
        assert told == [1]

    def test_unknown_members_are_unreadable_with_strict(self, tmp_path: Path) -> None:
        file = write_lines(tmp_path / "one.jsonl", [b'{"operation": "update", "sessionId": "A", "body": {}, "x": 1}'])
        assert backtest(file).summary["unreadable"] == 0
        assert backtest(file, strict=True).summary["unreadable"] == 1


class TestExtras:
    """A package that is missing is named with the extra that installs it."""

    def test_the_message_names_the_extra(self) -> None:
        with pytest.raises(ModuleNotFoundError) as missing:
            needed("no_such_engine.sql", "spark")
        assert str(missing.value) == (
            'session_fsm.backtest needs no_such_engine; run: pip install "session-fsm[spark]"'
        )
        assert missing.value.name == "no_such_engine"

    def test_what_a_package_lacks_itself_is_its_own_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "half_engine.py").write_text("import no_such_part\n", encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_part'"):
            needed("half_engine")
