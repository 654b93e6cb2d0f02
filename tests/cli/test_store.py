"""``session-fsm store``: every command, on a terminal and for machines."""

import importlib.util
import json
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command_line import objects, run

from session_fsm import CartItem, CustomerSession, ReturnedCartItem, wire
from session_fsm.store import SessionStore

START = datetime(2026, 9, 14, 9, 0, tzinfo=UTC)


class NewShop(CustomerSession):
    """A class whose documents have another attribute than those of version 1."""


def _renamed(document: dict[str, Any]) -> dict[str, Any]:
    if document["integrationId"] == "bad":
        raise KeyError("colour")
    return document | {"attributes": {"renamed": True}}


MIGRATIONS = {1: _renamed}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'orders.db'}"


@pytest.fixture
def store(url: str) -> Any:
    with SessionStore(url) as store:
        store.create_schema()
        items = [CartItem(sku="MUG", quantity=2, price="12.50"), CartItem(sku="FREE", quantity=1)]
        store.add(CustomerSession.create("order-1", profile_id="cust-7", cart_items=items, now=START))
        store.change("order-1", lambda s: s.close(coupon_codes=["XMAS"], now=START + timedelta(minutes=1)))
        store.add(CustomerSession.create("order-2", application_id=7, now=START))
        yield store


@pytest.mark.usefixtures("store")
class TestLooking:
    def test_a_session_is_shown_with_its_items(self, url: str, store: Any) -> None:
        store.change("order-1", lambda s: s.return_items([ReturnedCartItem(position=0, quantity=1)], now=START))
        assert run("store", "show", url, "order-1").output == (
            "session order-1\n"
            "  state    partially_returned\n"
            "  version  3\n"
            "  profile  cust-7\n"
            "  total    25.00\n"
            "  created  2026-09-14T09:00:00Z\n"
            "  updated  2026-09-14T09:00:00Z\n"
            "  coupons  XMAS\n"
            "\n"
            "2 items\n"
            "  0  MUG   2  12.50  1 returned\n"
            "  1  FREE  1\n"
        )

    def test_the_board_says_what_is_allowed_and_why_not(self, url: str) -> None:
        output = run("store", "show", url, "order-2", "--application", 7, "--board").output
        assert "  application  7\n" in output
        assert "  profile      (anonymous)\n" in output
        assert "  close         -> closed\n" in output
        assert "  reopen        refused       wrong_state: Only closed sessions can be reopened\n" in output

    def test_a_session_is_shown_as_json(self, url: str, store: Any) -> None:
        assert objects(run("store", "show", url, "order-1", "--json").output) == [
            json.loads(wire.dumps(store.get("order-1")))
        ]
        (document,) = objects(run("store", "show", url, "order-1", "--json", "--board").output)
        assert document["board"] == wire.unstructure(store.get("order-1").board())
        assert document["board"]["reopen"]["allowed"]
        assert document["board"]["update"]["violations"][0]["code"] == "wrong_state"

    def test_a_session_is_drawn_with_its_history(self, url: str) -> None:
        assert run("store", "show", url, "order-1", "--diagram", "svg").output.startswith("<svg")
        wrong = run("store", "show", url, "order-1", "--diagram", "gif")
        assert (wrong.exit_code, "there is no format 'gif'" in wrong.output) == (2, True)

    def test_the_history_is_listed(self, url: str, store: Any) -> None:
        store.change("order-1", lambda s: s.return_items([ReturnedCartItem(position=0, quantity=1)], now=START))
        store.change("order-1", lambda s: s.cancel(now=START))
        assert run("store", "history", url, "order-1").output == (
            "session order-1: 4 events\n"
            "  1  2026-09-14T09:00:00Z  create        (new) -> open                    profileId, cartItems\n"
            "  2  2026-09-14T09:01:00Z  close         open -> closed                   couponCodes\n"
            "  3  2026-09-14T09:00:00Z  return_items  closed -> partially_returned     returnedCartItems\n"
            "  4  2026-09-14T09:00:00Z  cancel        partially_returned -> cancelled\n"
        )
        lines = objects(run("store", "history", url, "order-1", "--json").output)
        assert [(line["sequence"], line["event"]["trigger"]) for line in lines][:2] == [(1, "create"), (2, "close")]

    def test_sessions_are_found(self, url: str) -> None:
        assert run("store", "find", url, "--state", "closed").output == (
            "session  state   profile  total  updated\norder-1  closed  cust-7   25.00  2026-09-14T09:01:00Z\n"
        )
        assert [
            one["integrationId"] for one in objects(run("store", "find", url, "--profile", "", "--json").output)
        ] == ["order-2"]

    def test_a_list_that_is_longer_says_how_to_go_on(self, url: str) -> None:
        first = run("store", "find", url, "--limit", 1, "--json")
        cursor = first.stderr.split("--after ")[1].strip()
        rest = run("store", "find", url, "--limit", 1, "--json", "--after", cursor)
        assert [one["integrationId"] for one in objects(first.stdout + rest.stdout)] == ["order-2", "order-1"]

    def test_the_url_may_come_from_the_environment(self, url: str) -> None:
        shown = run("store", "show", "order-1", SESSION_FSM_STORE=url)
        assert shown.output.startswith("session order-1\n")
        assert run("store", "find", SESSION_FSM_STORE=url).exit_code == 0


class TestTables:
    def test_init_creates_the_tables_once(self, url: str) -> None:
        assert run("store", "init", url).output == "The tables were created, version 0001.\n"
        assert run("store", "init", url).output == "The tables exist already, version 0001.\n"

    def test_upgrade_says_which_version_there_was(self, url: str, tmp_path: Path) -> None:
        missing = run("store", "upgrade", url)
        assert (missing.exit_code, missing.output) == (
            2,
            "session-fsm: the store has no tables; session-fsm store init creates them\n",
        )
        run("store", "init", url)
        assert run("store", "upgrade", url).output == "The tables have version 0001 already.\n"

    def test_a_prefix_names_other_tables(self, url: str) -> None:
        assert run("store", "init", url, "--prefix", "shop_").exit_code == 0
        found = run("store", "find", url)
        assert found.exit_code == 2
        assert "has no tables; call create_schema(), or run: session-fsm store init sqlite:///" in found.output
        assert run("store", "find", url, "--prefix", "shop_").exit_code == 0


@pytest.mark.usefixtures("store")
class TestUpkeep:
    def test_verify_names_what_is_wrong(self, url: str, tmp_path: Path) -> None:
        assert run("store", "verify", url).output == "2 sessions verified, 0 problems.\n"
        with sqlite3.connect(tmp_path / "orders.db") as broken:
            broken.execute("UPDATE sessions SET document = replace(document, 'XMAS', 'EASTER')")
            broken.execute("UPDATE sessions SET state = 'closed' WHERE session_id = 'order-2'")
        broken.close()
        found = run("store", "verify", url)
        assert found.exit_code == 1
        assert found.output == (
            "session 'order-1': its events lead to another document\n"
            "session 'order-2' of application 7: the columns state differ from the document\n"
            "0 sessions verified, 2 problems.\n"
        )
        lines = objects(run("store", "verify", url, "--json").output)
        assert [line.get("sessionId") for line in lines] == ["order-1", "order-2", None]
        assert lines[-1] == {"summary": {"verified": 0, "problems": 2}}

    def test_migrate_rewrites_and_names_what_it_cannot_read(self, url: str, store: Any) -> None:
        store.add(CustomerSession.create("bad"))
        arguments = ("migrate", url, "--class", f"{__name__}:NewShop", "--migrations", f"{__name__}:MIGRATIONS")
        sys.modules[__name__] = sys.modules.get(__name__) or importlib.util.module_from_spec(__spec__)
        migrated = run("store", *arguments)
        assert migrated.exit_code == 1
        assert migrated.output == (
            "session 'bad': the stored document cannot be read: a migration from version 1 raised KeyError\n"
            "2 documents rewritten, 1 problem.\n"
        )
        assert objects(run("store", *arguments, "--json").output)[-1] == {"summary": {"rewritten": 0, "problems": 1}}

    def test_migrations_that_cannot_be_imported_are_refused(self, url: str) -> None:
        refused = run("store", "migrate", url, "--migrations", "nowhere:MIGRATIONS")
        assert (refused.exit_code, "'nowhere:MIGRATIONS' cannot be imported" in refused.output) == (2, True)

    def test_relay_writes_the_messages(self, url: str) -> None:
        lines = objects(run("store", "relay", url).output)
        assert [(line["subject"], line["type"]) for line in lines] == [
            ("order-1", "talon_session_created"),
            ("order-1", "talon_session_closed"),
            ("order-2", "talon_session_created"),
        ]
        assert run("store", "relay", url).output == ""

    def test_relay_calls_a_function_and_says_what_failed(
        self, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        code = "def publish(message):\n    raise OSError('secret')\n"
        (tmp_path / "broken_broker.py").write_text(code, encoding="utf-8")
        failed = run("store", "relay", url, "--publish", "broken_broker:publish", "--attempts", 1)
        assert (failed.exit_code, failed.stdout) == (1, "")
        assert failed.stderr == "session-fsm: 0 attempts failed, 3 messages set aside\n"
        assert run("store", "prune", url, "--failed-days", 0, "--json").output == (
            '{"requests":0,"failedMessages":3,"sessions":0}\n'
        )

    def test_prune_says_what_is_deleted(self, url: str) -> None:
        run("store", "relay", url)
        wrong = run("store", "prune", url, "--session-days", 1)
        assert (wrong.exit_code, "--session-days and --state go together" in wrong.output) == (2, True)
        assert run("store", "prune", url, "--session-days", 0, "--state", "closed").output == (
            "Deleted: 0 expired answers, 0 failed messages, 1 session.\n"
        )


class TestWrongCalls:
    def test_what_is_missing_is_said(self, url: str) -> None:
        assert "give a URL and an ID, or set SESSION_FSM_STORE to the URL" in run("store", "show", url).output
        assert "give a URL, or set SESSION_FSM_STORE to the URL" in run("store", "find").output

    def test_errors_are_one_line_with_status_2(self, url: str) -> None:
        run("store", "init", url)
        for arguments, message in (
            (("show", url, "nobody"), "session 'nobody' is not in the store"),
            (("find", "mysql://shop:secret@db/orders"), "a store needs SQLite or PostgreSQL; mysql is not supported"),
            (("find", "nonsense"), "the store needs the URL of a database, such as sqlite:///orders.db"),
            (
                ("init", "sqlite://orders.db"),
                "the URL of an SQLite file has three slashes, such as sqlite:///orders.db",
            ),
        ):
            failed = run("store", *arguments)
            assert (failed.exit_code, failed.output) == (2, f"session-fsm: {message}\n")

    def test_without_the_extra_it_is_said_what_to_install(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in sys.modules if name.startswith("session_fsm.store")]:
            monkeypatch.delitem(sys.modules, name)
        found = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "alembic" else found(name))
        failed = run("store", "find", url)
        assert failed.exit_code == 2
        assert failed.output == (
            'session-fsm: session_fsm.store needs alembic; run: pip install "session-fsm[store]"\n'
        )
