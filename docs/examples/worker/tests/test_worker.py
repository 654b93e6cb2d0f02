"""Tests of the worker: single lines, interruptions, and the program."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from worker import handling, smallest
from worker.__main__ import main
from worker.handling import handle, publish
from worker.sessions import ShopSession
from worker.store import Store, Transaction

from session_fsm import CustomerSession, SessionEvent, TransitionRefused, Trigger, rule, wire
from session_fsm.store import SessionNotFound

HERE = Path(__file__).parent.parent
PENS = {"sku": "PEN", "quantity": 4, "price": 2.5}


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store(":memory:")
    yield store
    store.close()


def line(
    message_id: str | None, operation: str = "update", body: dict[str, Any] | None = None, **members: Any
) -> bytes:
    known = {"operation": operation, "sessionId": "order-7", "body": body or {}}
    return json.dumps(({"id": message_id} if message_id else {}) | known | members).encode()


def handle_lines(store: Store, *lines: bytes) -> list[str]:
    return [handle(store, one, None) for one in lines]


def find(store: Store) -> ShopSession | None:
    try:
        return store.sessions.get("order-7")
    except SessionNotFound:
        return None


def published(store: Store) -> list[SessionEvent]:
    stream = io.StringIO()
    publish(store, stream)
    return [wire.loads(document, SessionEvent) for document in stream.getvalue().splitlines()]


def test_every_operation_of_an_order_is_published_once(store: Store) -> None:
    assert handle_lines(
        store,
        line("1", body={"cartItems": [PENS], "storeIntegrationId": "Ghent"}),
        line("2", body={"state": "closed"}),
        line("3", "reopen"),
        line("4", body={"state": "closed"}),
        line("5", "return", {"returnedCartItems": [{"position": 0, "quantity": 1}]}),
        line("6", body={"state": "cancelled"}),
    ) == [
        "applied, open now",
        "applied, closed now",
        "applied, open now",
        "applied, closed now",
        "applied, partially_returned now",
        "applied, cancelled now",
    ]
    assert [(event.session_id, event.update_count) for event in published(store)] == [
        ("order-7", n) for n in range(1, 7)
    ]
    assert published(store) == []


def test_an_operation_has_the_time_of_its_message(store: Store) -> None:
    times = [f"2026-09-14T09:0{minute}:00Z" for minute in range(4)]
    closing, returning = {"storeIntegrationId": "Ghent", "state": "closed"}, {"returnedCartItems": [{"position": 0}]}
    handle_lines(
        store,
        line("1", body={"cartItems": [PENS]} | closing, time=times[0]),
        line("2", "reopen", time=times[1]),
        line("3", body=closing, time=times[2]),
        line("4", "return", returning, time=times[3]),
    )
    assert [wire.unstructure(event)["at"] for event in published(store)] == times


class TestDuplicates:
    def test_a_repeated_message_is_not_applied_again(self, store: Store) -> None:
        first = line("1", body={"cartItems": [PENS], "storeIntegrationId": "Ghent", "state": "closed"})
        returned = line("2", "return", {"returnedCartItems": [{"position": 0, "quantity": 1}]})
        assert handle_lines(store, first, returned, returned)[2] == "repeated; it was applied, partially_returned now"
        session = find(store)
        assert session is not None
        assert session.cart_items[0].returned_quantity == 1
        assert len(published(store)) == 2

    def test_a_refused_message_stays_refused(self, store: Store) -> None:
        close = line("2", body={"state": "closed"})
        assert handle_lines(store, line("1"), close)[1] == "refused: store_missing"
        handle_lines(store, line("3", body={"storeIntegrationId": "Ghent"}))
        assert handle_lines(store, close) == ["repeated; it was refused: store_missing"]

    def test_the_same_operation_in_two_messages_is_applied_twice(self, store: Store) -> None:
        handle_lines(store, line("1"), line("2"), line("3"))
        session = find(store)
        assert session is not None
        assert session.update_count == 3

    def test_the_default_id_is_the_file_and_line_number(self, store: Store) -> None:
        assert handle(store, line(None), "monday.jsonl:1") == "applied, open now"
        assert handle(store, line(None), "monday.jsonl:1") == "repeated; it was applied, open now"
        assert handle(store, line(None), None) == "unreadable: /id: is missing"


class TestRefusals:
    def test_closing_a_closed_session_has_its_own_outcome(self, store: Store) -> None:
        closed = line("1", body={"storeIntegrationId": "Ghent", "state": "closed"})
        assert handle_lines(
            store, closed, line("2", body={"state": "closed"}), line("3", body={"couponCodes": []})
        ) == [
            "applied, closed now",
            "already closed",
            "refused: wrong_state",
        ]

    @pytest.mark.parametrize("operation", ["return", "reopen"])
    def test_a_return_or_reopening_does_not_create_a_session(self, store: Store, operation: str) -> None:
        body = {"returnedCartItems": [{"position": 0}]}
        assert handle_lines(store, line("1", operation, body)) == ["refused: unknown_session"]
        assert find(store) is None

    def test_an_invalid_value_is_refused(self, store: Store) -> None:
        assert handle_lines(store, line("1", sessionId="x" * 1001)) == [
            "refused: /integrationId: has 1001 characters; at most 1000 are allowed"
        ]
        (outcome,) = handle_lines(store, line("2", body={"couponCodes": ["\ud800"]}))
        assert outcome.startswith("unreadable: /body/couponCodes/0: ")
        assert published(store) == []

    def test_a_dry_run_changes_nothing(self, store: Store) -> None:
        assert handle_lines(store, line("1", dry=True)) == ["passed over, a dry run"]
        assert find(store) is None

    def test_an_order_without_its_store_is_not_created_closed(self, store: Store) -> None:
        assert handle_lines(store, line("1", body={"state": "closed"})) == ["refused: store_missing"]
        assert find(store) is None


@rule("out_of_stock", on=[Trigger.CREATE])
def all_is_in_stock() -> bool:
    """All items must be in stock."""
    raise ConnectionError("postgresql://shop:secret-word@db.internal is not there")


class Broken(CustomerSession):
    """A session with a rule that raises."""

    rules = (*CustomerSession.rules, all_is_in_stock)


class TestFaults:
    """Errors of the service: the message is not handled, and the error is logged."""

    def test_a_message_is_not_handled_if_a_rule_raises(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(handling, "ShopSession", Broken)
            with pytest.raises(TransitionRefused):
                handle_lines(store, line("1"))
        (record,) = [record for record in caplog.records if record.name.startswith("worker")]
        assert record.getMessage() == "session 'order-7': message '1' is not handled"
        assert "secret-word" in caplog.text
        assert handle_lines(store, line("1")) == ["applied, open now"]

    def test_the_program_exits_with_1_if_a_rule_raises(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        inbox = tmp_path / "inbox"
        inbox.mkdir()
        (inbox / "monday.jsonl").write_bytes(line("1"))
        monkeypatch.setattr(handling, "ShopSession", Broken)
        monkeypatch.setattr(sys, "argv", ["worker", str(inbox), "--database", str(tmp_path / "worker.sqlite3")])
        assert main() == 1
        assert capsys.readouterr().err == "The worker stops: RuleViolated\n"
        assert (inbox / "monday.jsonl").exists()


class TestMinimalWorker:
    @pytest.fixture(autouse=True)
    def _no_messages(self) -> None:
        for table in ("sessions", "handled", "outbox"):
            smallest.database.execute(f"DELETE FROM {table}")

    def test_applies_each_message_once(self) -> None:
        assert [smallest.handle("1", "order-7", "{}") for _ in range(2)] == [
            "applied, open now",
            "repeated; it was applied, open now",
        ]
        assert smallest.handle("2", "order-7", '{"state": "closed"}') == "applied, closed now"
        assert smallest.handle("3", "order-7", '{"state": "closed"}') == "already closed"
        assert smallest.handle("4", "order-7", "{}").startswith("refused: ")
        assert smallest.database.execute("SELECT count(*) FROM outbox").fetchone() == (2,)

    def test_does_not_handle_a_message_if_a_rule_raises(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(smallest, "CustomerSession", Broken)
            with pytest.raises(TransitionRefused):
                smallest.handle("1", "order-7", "{}")
        assert "order-7" in caplog.text
        assert "secret-word" in caplog.text
        assert smallest.handle("1", "order-7", "{}") == "applied, open now"


class TestInvalidLines:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (b"{", "the line is not JSON"),
            (b"\xff\xfe", "the line is not JSON"),
            (b"[" * 100_000, "the line is not JSON"),
            (b"[]", "the line is not an object"),
            (b"{}", "/id: is missing; /sessionId: is missing; /operation: is none of: update, return, reopen"),
            (line("1", operation="destroy"), "/operation: is none of"),
            (line("1", operation=[]), "/operation: is none of"),  # type: ignore[arg-type]  # that is what is refused
            (line("1", sessionId=7), "/sessionId: is not a text"),
            (line("\ud800"), "/id: holds half of a surrogate pair"),
            (line("1", body=None, time="2026-02-30T00:00:00Z"), "/time: is not a time"),
            (line("1", time="2026-02-03T00:00:00"), "/time: is not a time"),
            (line("1", time=7), "/time: is not a time"),
            (line("1", body={"cartItems": [{"sku": "A"}]}), "/body/cartItems/0/quantity: is missing"),
            (line("1", "return"), "/body/returnedCartItems: is missing"),
        ],
    )
    def test_an_invalid_line_is_saved_with_every_problem(self, store: Store, text: bytes, problem: str) -> None:
        (outcome,) = handle_lines(store, text)
        assert outcome.startswith(f"unreadable: {problem}")
        handle_lines(store, text)
        assert store.dead_letters() == [(text, outcome.removeprefix("unreadable: "))]

    def test_prices_are_exact(self, store: Store) -> None:
        text = b'{"id": "1", "operation": "update", "sessionId": "order-7", "body": {"cartItems": [%s]}}'
        handle_lines(store, text % b'{"sku": "A", "quantity": 3, "price": 0.10000000000000000001}')
        session = find(store)
        assert session is not None
        assert str(session.total) == "0.30000000000000000003"


class TestInterruptions:
    def test_an_interrupted_transaction_is_rolled_back(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(Transaction, "mark_handled", stop)
            with pytest.raises(KeyboardInterrupt):
                handle_lines(store, line("1"))
        assert find(store) is None
        assert published(store) == []
        assert handle_lines(store, line("1")) == ["applied, open now"]

    def test_an_event_that_could_not_be_written_stays_in_the_outbox(self, store: Store) -> None:
        class Full(io.StringIO):
            def write(self, _: str) -> int:
                raise OSError("no space left")

        handle_lines(store, line("1"), line("2"))
        with pytest.raises(OSError, match="no space left"):
            publish(store, Full())
        assert [event.update_count for event in published(store)] == [1, 2]

    def test_two_workers_with_the_same_message_apply_it_once(self, tmp_path: Path) -> None:
        stores = [Store(tmp_path / "worker.sqlite3") for _ in range(2)]
        assert [handle(store, line("1"), None) for store in stores] == [
            "applied, open now",
            "repeated; it was applied, open now",
        ]
        for store in stores:
            store.close()


class TestProgram:
    def run(self, *arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-W", "error", "-m", "worker", *map(str, arguments)]
        return subprocess.run(command, cwd=HERE, input=stdin, capture_output=True, timeout=60, check=False)

    @pytest.fixture
    def inbox(self, tmp_path: Path) -> Path:
        inbox = tmp_path / "inbox"
        inbox.mkdir()
        for file in (HERE / "recordings").iterdir():
            (inbox / file.name).write_bytes(file.read_bytes())
        return inbox

    def test_it_processes_a_folder_as_the_readme_shows(self, inbox: Path, tmp_path: Path) -> None:
        ran = self.run(inbox, "--database", tmp_path / "worker.sqlite3")
        shown = (HERE / "README.md").read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]
        assert ran.stderr.decode() == shown
        assert ran.returncode == 1
        events = [json.loads(event)["name"] for event in ran.stdout.splitlines()]
        assert events == ["talon_session_created", "talon_session_closed", "talon_session_partially_returned"]
        assert [path.name for path in inbox.iterdir()] == ["done"]
        assert {path.name for path in (inbox / "done").iterdir()} == {"monday.jsonl", "tuesday.jsonl"}

    def test_it_reads_standard_input_and_keeps_state_between_runs(self, tmp_path: Path) -> None:
        database = tmp_path / "worker.sqlite3"
        first = self.run("-", "--database", database, stdin=line("1") + b"\n\n" + line("2"))
        again = self.run("-", "--database", database, stdin=line("2"))
        assert (first.returncode, first.stdout.count(b"\n"), again.returncode, again.stdout) == (0, 2, 0, b"")
        assert again.stderr.decode() == "-:1: repeated; it was applied, open now\n"

    def test_a_missing_folder_is_reported(self, tmp_path: Path) -> None:
        ran = self.run(tmp_path / "nowhere")
        assert ran.returncode == 2
        assert b"there is no folder" in ran.stderr
