"""``session-fsm replay`` and ``demo``: recorded requests, applied one by one."""

import gc
import io
import json
import os
import signal
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import builders
import click
import pytest
from command_line import ITEM, objects, recording, reopened, returned, run, update

from session_fsm import CustomerSession, InvalidValue, Trigger, Violation, WireError, rule
from session_fsm.cli import command, progress
from session_fsm.cli.interrupts import Interruptible
from session_fsm.cli.json_lines import json_line
from session_fsm.recording import Recording, lines_of, read_request
from session_fsm.states import Operation
from session_fsm.wire.text import MOST_BYTES

NO_JSON = "the document is not JSON: Expecting value (line 1, column 1)"
ORDER = [
    update(cartItems=[ITEM]),
    update(couponCodes=["XMAS"]),
    update(state="closed"),
    update(state="closed"),
    returned("order-1", {"position": 0, "quantity": 1}),
    returned("order-1", {"sku": "MUG", "quantity": 3}),
    update(state="cancelled"),
]


def replay(*lines: dict[str, Any] | str, options: tuple[str, ...] = (), **env: str) -> Any:
    """Replay these lines from standard input."""
    return run("replay", "-", *options, stdin=recording(*lines), **env)


def outcomes(*lines: dict[str, Any] | str, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Replay these lines and return the result of each, without the summary."""
    return objects(replay(*lines, options=("--json", *options)).stdout)[:-1]


def summary(*lines: dict[str, Any] | str) -> dict[str, Any]:
    """Replay these lines and return the summary."""
    return objects(replay(*lines, options=("--json",)).stdout)[-1]["summary"]


class TestOneOrder:
    """One order from the cart to the cancellation, in every output format."""

    def test_every_request_is_written_with_its_total_states_and_reasons(self) -> None:
        result = replay(*ORDER)
        assert result.exit_code == 1
        assert result.stderr == ""
        assert result.stdout == (
            "    1  order-1       create             37.5  open\n"
            "    2  order-1       update             37.5  open\n"
            "    3  order-1       close              37.5  open -> closed\n"
            "    4  order-1       close              37.5  refused, already closed\n"
            "         wrong_state: Only open sessions can be closed\n"
            "    5  order-1       return_items       37.5  closed -> partially_returned\n"
            "    6  order-1       return_items       37.5  refused\n"
            "         returns_more_than_remaining: 3 units of the item at position 0 cannot come back; 2 remain. "
            "(at /returnedCartItems/0/quantity)\n"
            "    7  order-1       cancel             37.5  partially_returned -> cancelled\n"
            "\n"
            "requests    7  update 5, return 2\n"
            "applied     5\n"
            "refused     2  returns_more_than_remaining 1, wrong_state 1; 1 already in the wanted state\n"
            "unreadable  0\n"
            "sessions    1  cancelled 1\n"
        )

    def test_json_has_one_object_a_line_and_a_summary(self) -> None:
        *lines, last = objects(replay(*ORDER, options=("--json",)).stdout)
        assert [line["outcome"] for line in lines] == [
            "applied",
            "applied",
            "applied",
            "refused",
            "applied",
            "refused",
            "applied",
        ]
        assert lines[2] == {
            "file": "-",
            "line": 3,
            "sessionId": "order-1",
            "operation": "update",
            "trigger": "close",
            "dry": False,
            "outcome": "applied",
            "from": "open",
            "state": "closed",
            "total": 37.5,
            "event": "talon_session_closed",
            "at": lines[2]["at"],
            "updateCount": 3,
        }
        assert lines[3]["already"] is True
        assert lines[5]["already"] is False
        assert lines[5]["violations"] == [
            {
                "code": "returns_more_than_remaining",
                "message": "3 units of the item at position 0 cannot come back; 2 remain.",
                "details": {"position": 0, "requested": 3, "remaining": 2},
                "pointer": "/returnedCartItems/0/quantity",
            }
        ]
        assert last == {
            "summary": {
                "requests": 7,
                "operations": {"update": 5, "return": 2},
                "applied": 5,
                "allowedDryRuns": 0,
                "refused": 2,
                "alreadyThere": 1,
                "refusedByCode": {"returns_more_than_remaining": 1, "wrong_state": 1},
                "unreadable": 0,
                "sessions": {"open": 0, "closed": 0, "partially_returned": 0, "cancelled": 1},
            }
        }

    def test_quiet_shows_only_refusals_and_the_summary(self) -> None:
        quiet, loud = replay(*ORDER, options=("-q",)), replay(*ORDER)
        lines = quiet.stdout.splitlines()
        assert [line.split()[0] for line in lines[:4]] == ["4", "wrong_state:", "6", "returns_more_than_remaining:"]
        assert lines[4:] == loud.stdout.splitlines()[9:]
        assert quiet.exit_code == 1
        assert [line.get("line") for line in objects(replay(*ORDER, options=("-q", "--json")).stdout)] == [4, 6, None]

    def test_when_everything_is_applied_the_status_is_0(self) -> None:
        assert replay(update(), update(state="closed"), reopened()).exit_code == 0

    def test_an_empty_recording_is_status_0(self) -> None:
        result = replay("", "   ")
        assert result.exit_code == 0
        assert result.stdout.endswith("requests    0\napplied     0\nrefused     0\nunreadable  0\nsessions    0\n")

    def test_a_terminal_gets_few_colours(self) -> None:
        output = replay(*ORDER, FORCE_COLOR="1", TERM="xterm", COLUMNS="80").stdout
        assert "\x1b[33mrefused, already closed\x1b[0m" in output
        assert "\x1b[31mrefused\x1b[0m" in output
        assert max(len(click.unstyle(line)) for line in output.splitlines()) <= 80


class TestSessions:
    """A recording may mix sessions and span several files."""

    def test_interleaved_sessions_are_independent(self) -> None:
        lines = outcomes(
            update("a", cartItems=[ITEM]), update("b"), update("a", state="closed"), update("b"), reopened("a")
        )
        assert [(line["sessionId"], line["from"], line["state"]) for line in lines] == [
            ("a", None, "open"),
            ("b", None, "open"),
            ("a", "open", "closed"),
            ("b", "open", "open"),
            ("a", "closed", "open"),
        ]

    def test_several_files_are_one_recording_with_a_heading_each(self, tmp_path: Path) -> None:
        first, second, third = (tmp_path / name for name in ("first.jsonl", "second.jsonl", "third.jsonl"))
        first.write_text(recording(update("a"), update("a", state="closed")), encoding="utf-8")
        second.write_text(recording("", reopened("a")), encoding="utf-8")
        third.write_text("", encoding="utf-8")
        result = run("replay", first, second, third)
        assert result.exit_code == 0
        assert [line.split() for line in result.stdout.splitlines()[:5]] == [
            [str(first)],
            ["1", "a", "create", "0", "open"],
            ["2", "a", "close", "0", "open", "->", "closed"],
            [str(second)],
            ["2", "a", "reopen", "0", "closed", "->", "open"],
        ]

    def test_a_session_can_be_created_as_closed(self) -> None:
        assert outcomes(update(state="closed"))[0] | {"at": None} == {
            "file": "-",
            "line": 1,
            "sessionId": "order-1",
            "operation": "update",
            "trigger": "create",
            "dry": False,
            "outcome": "applied",
            "from": None,
            "state": "closed",
            "total": 0,
            "event": "talon_session_created",
            "at": None,
            "updateCount": 1,
        }

    @pytest.mark.parametrize("line", [returned("lost", {"position": 0}), reopened("lost")])
    def test_a_request_without_its_session_is_refused(self, line: dict[str, Any]) -> None:
        (outcome,) = outcomes(line)
        assert (outcome["outcome"], outcome["state"], outcome["total"]) == ("refused", None, None)
        assert outcome["violations"] == [
            {
                "code": "unknown_session",
                "message": 'There is no session "lost"; an update creates one.',
                "details": {},
            }
        ]
        assert outcome["already"] is False
        assert "lost          " in replay(line).stdout

    def test_a_refused_creation_creates_no_session(self) -> None:
        created, again = outcomes(update(state="cancelled"), reopened())
        assert created["violations"][0]["code"] == "state_not_creatable"
        assert again["violations"][0]["code"] == "unknown_session"

    def test_long_identifiers_are_not_cut_off(self) -> None:
        long = "order-" + "1" * 60
        lines = replay(update(long), update("a")).stdout.splitlines()
        assert lines[0].split()[1] == long
        assert lines[1].startswith("    2  a" + " " * 37 + "create")

    def test_long_identifiers_get_their_own_line_on_a_terminal(self) -> None:
        long = "order-" + "1" * 30
        output = replay(update(long), update("a"), FORCE_COLOR="1", NO_COLOR="1", TERM="xterm", COLUMNS="80").stdout
        assert output.splitlines()[:3] == [
            f"    1  {long}",
            " " * 23 + "  create                0  open",
            "    2  a                 create                0  open",
        ]

    def test_a_subclass_applies_its_own_rules(self) -> None:
        result = run(
            "replay",
            "-",
            "--class",
            "session_fsm.cli.commands.demo:DemoSession",
            stdin=recording(update(), update(state="closed"), update(state="closed", couponCodes=["XMAS"])),
        )
        assert "coupon_code_required: A session must hold a coupon code by the time it closes." in result.stdout
        assert result.exit_code == 1

    def test_required_own_fields_are_named_in_the_refusal(self) -> None:
        result = run("replay", "-", "--class", "builders:TenantSession", stdin=recording(update(), update()))
        assert result.exit_code == 1
        message = "A new TenantSession needs tenant, and a recording does not hold fields of your own."
        assert result.stdout.count(f"own_fields_missing: {message}\n") == 2

    def test_an_exception_of_a_subclass_is_a_refusal(self, monkeypatch: Any) -> None:
        class Broken(CustomerSession):
            @classmethod
            def create(cls, *_: Any, **__: Any) -> Any:
                raise TypeError("no order today")

        monkeypatch.setattr(builders, "Broken", Broken, raising=False)
        result = run("replay", "-", "--class", "builders:Broken", stdin=recording(update(), update()))
        assert result.exit_code == 1
        assert "         failed: TypeError: no order today\n" in result.stdout


class TestLines:
    """The members of a line."""

    @pytest.mark.parametrize(
        ("operation", "names"),
        [
            (Operation.UPDATE, ["update", "Update customer session", "updateCustomerSessionV2"]),
            (Operation.RETURN, ["return", "Return cart items", "returnCartItems"]),
            (Operation.REOPEN, ["reopen", "Reopen customer session", "reopenCustomerSession"]),
        ],
    )
    def test_an_operation_has_the_names_that_the_api_gives_it(self, operation: Operation, names: list[str]) -> None:
        for name in names:
            line = {"operation": name, "sessionId": "a", "body": {"returnedCartItems": []}}
            request = read_request(json.dumps(line).encode())
            assert (request.operation, request.name) == (operation, names[0])

    def test_a_body_may_be_wrapped(self) -> None:
        plain = [update(cartItems=[ITEM]), update(state="closed"), returned("order-1", {"position": 0})]
        wrappers = ("customerSession", "customerSession", "return")
        wrapped = [line | {"body": {name: line["body"]}} for name, line in zip(wrappers, plain, strict=True)]
        assert [line["state"] for line in outcomes(*wrapped)] == [line["state"] for line in outcomes(*plain)]

    def test_the_time_is_that_of_the_line(self) -> None:
        lines = outcomes(update() | {"time": "2026-09-14T09:12:00+02:00"}, update() | {"time": "2026-09-14T09:12:00Z"})
        assert [line["at"] for line in lines] == ["2026-09-14T09:12:00+02:00", "2026-09-14T09:12:00Z"]

    def test_null_counts_as_omitted(self) -> None:
        line = reopened() | {"time": None, "dry": None, "note": None, "body": None}
        assert read_request(json.dumps(line).encode()) == read_request(json.dumps(reopened()).encode())

    def test_the_body_of_a_reopen_is_ignored(self) -> None:
        assert replay(update(state="closed"), reopened() | {"body": ["whatever"]}).exit_code == 0

    @pytest.mark.parametrize(
        ("line", "problems"),
        [
            ("nonsense", ["the document is not JSON: Expecting value (line 1, column 1)"]),
            ("[]", ["a list is not an object"]),
            ("{}", ["/operation: is missing", "/sessionId: is missing"]),
            ({"operation": "update", "sessionId": "a"}, ["/body: is missing"]),
            ({"operation": "return", "sessionId": "a", "body": None}, ["/body: is missing"]),
            (
                {"operation": "refund", "sessionId": "", "time": "2026-09-14T09:12:00", "dry": 1, "note": 3},
                [
                    '/operation: "refund" is none of: update, return, reopen',
                    "/sessionId: is empty",
                    "/time: is not a time with its time zone, such as 2026-09-14T09:12:00Z",
                    "/dry: a number is not a boolean",
                    "/note: a number is not a string",
                ],
            ),
            (
                {"operation": ["update"], "sessionId": 3, "time": 12},
                [
                    "/operation: a list is none of: update, return, reopen",
                    "/sessionId: a number is not a string",
                    "/time: is not a time with its time zone, such as 2026-09-14T09:12:00Z",
                ],
            ),
            (
                update("x" * 1001, customerSession={"cartItems": [{"sku": "A", "quantity": 0}], "state": "lost"}),
                [
                    "/sessionId: has 1001 characters; at most 1000 are allowed",
                    '/body/state: must be one of the following: "open", "closed", "cancelled"',
                    "/body/cartItems/0/quantity: 0 is less than 1",
                ],
            ),
            (returned("a", {"quantity": True}), ["/body/returnedCartItems/0/quantity: a boolean is not an integer"]),
        ],
    )
    def test_every_problem_of_an_unreadable_line_is_reported_and_the_rest_runs(
        self, line: Any, problems: list[str]
    ) -> None:
        result = replay(update(), line, update(), options=("--json",))
        assert result.exit_code == 2
        assert result.stderr.splitlines() == [f"session-fsm: standard input:2: {problem}" for problem in problems]
        first, unreadable, third, last = objects(result.stdout)
        assert (first["outcome"], third["outcome"]) == ("applied", "applied")
        assert {name: unreadable[name] for name in ("file", "line", "outcome")} == {
            "file": "-",
            "line": 2,
            "outcome": "unreadable",
        }
        assert [f"{p['pointer']}: {p['text']}".removeprefix(": ") for p in unreadable["problems"]] == problems
        assert last["summary"]["unreadable"] == 1

    def test_status_2_for_an_unreadable_line_precedes_status_1(self) -> None:
        assert replay(reopened(), "nonsense").exit_code == 2

    def test_unknown_members_are_ignored_unless_strict(self) -> None:
        line = update(couponCode="XMAS") | {"duration": 3, "a/b": None}
        assert replay(line).exit_code == 0
        result = replay(line, options=("--strict",))
        assert result.exit_code == 2
        assert [line.split(":", 3)[3] for line in result.stderr.splitlines()] == [
            " /duration: is not known",
            " /a~1b: is not known",
            " /body/couponCode: is not known",
        ]

    def test_a_value_that_only_the_session_refuses_is_unreadable(self) -> None:
        class Picky(CustomerSession):
            def __attrs_post_init__(self) -> None:
                raise InvalidValue("/profileId", "is not liked")

        with pytest.raises(WireError) as refused:
            Recording(Picky).play(read_request(json.dumps(update()).encode()))
        assert [str(problem) for problem in refused.value.problems] == ["/body/profileId: is not liked"]

    def test_a_line_that_is_too_long_is_skipped_without_loading_it(self) -> None:
        class Endless:
            """Three lines, the second of which has some thirty million characters."""

            def __init__(self) -> None:
                self.parts = [b"1\n", b"x" * MOST_BYTES, b"x" * MOST_BYTES, b"x\n", b"3"]

            def readline(self, limit: int) -> bytes:
                assert limit == MOST_BYTES
                return self.parts.pop(0) if self.parts else b""

        stream: Any = Endless()
        assert list(lines_of(stream)) == [(1, b"1\n"), (2, None), (3, b"3")]
        with pytest.raises(WireError, match="the line is longer than 16,777,216 bytes"):
            read_request(None)

    def test_a_last_line_that_is_too_long_is_skipped(self) -> None:
        result = run("replay", "-", stdin=b"x" * (MOST_BYTES + 1))
        assert result.stderr == "session-fsm: standard input:1: the line is longer than 16,777,216 bytes\n"
        assert result.exit_code == 2


class TestManyUnreadableLines:
    """The number of messages about unreadable lines is limited."""

    @pytest.mark.parametrize("noise", [b"\x89PNG\r\n\x00" * 3_000, b"[\n" * 300, b"\xff\n" * 5_000])
    def test_a_file_that_is_not_a_recording_is_skipped_after_twenty_lines(self, tmp_path: Path, noise: bytes) -> None:
        path = tmp_path / "order.png"
        path.write_bytes(noise)
        result = run("replay", path)
        assert result.exit_code == 2
        *named, last = result.stderr.splitlines()
        assert [line.split(":")[2] for line in named] == [str(number) for number in range(1, 21)]
        assert last == (
            f"session-fsm: {path}: none of the first 20 lines can be read, so this is no recording; "
            "the rest of it is skipped"
        )
        assert "unreadable  20\n" in result.stdout
        assert len(objects(run("replay", "--json", path).stdout)) == 21

    def test_the_next_file_is_read_after_a_skipped_one(self, tmp_path: Path) -> None:
        noise = tmp_path / "noise"
        noise.write_bytes(b"noise\n" * 100)
        result = run("replay", noise, "-", stdin=recording(update()))
        assert "applied      1\n" in result.stdout

    def test_unreadable_lines_after_the_twentieth_are_only_counted(self) -> None:
        result = replay(update(), *["nonsense"] * 50, update())
        *named, last = result.stderr.splitlines()
        assert len(named) == 20
        assert last == "session-fsm: standard input: 30 further lines cannot be read"
        assert "unreadable  50\n" in result.stdout
        assert "applied      2\n" in result.stdout
        one = replay(update(), *["nonsense"] * 21).stderr.splitlines()
        assert one[-1] == "session-fsm: standard input: 1 further line cannot be read"
        assert len(replay(update(), *["nonsense"] * 20).stderr.splitlines()) == 20

    def test_only_the_first_problems_of_a_line_are_reported(self) -> None:
        result = replay(update(), update(cartItems=[{"sku": 5, "quantity": 1}] * 30))
        *named, last = result.stderr.splitlines()
        assert len(named) == 20
        assert last == "session-fsm: standard input:2: and 10 further problems"


class TestInterrupts:
    """Ctrl-C ends a run between two requests, with the summary so far."""

    @pytest.fixture
    def interrupting(self, monkeypatch: Any) -> Any:
        """Return a class with a rule that simulates Ctrl-C when an order is closed."""

        @rule("never", on=[Trigger.CLOSE])
        def order_may_close(total: Decimal) -> bool:
            """An order may close."""
            signal.raise_signal(signal.SIGINT)
            return total is not None

        class Interrupting(CustomerSession):
            rules = (*CustomerSession.rules, order_may_close)

        monkeypatch.setattr(builders, "Interrupting", Interrupting, raising=False)
        return Interrupting

    @pytest.mark.usefixtures("interrupting")
    def test_the_current_request_is_finished_and_counted(self) -> None:
        lines = [update(), update(state="closed"), update("order-2")]
        options = ("--class", "builders:Interrupting")
        result = replay(*lines, options=options)
        assert result.exit_code == 130
        assert "\nInterrupted after 2 requests.\n" in result.stdout
        assert "sessions    1  closed 1\n" in result.stdout
        machine = replay(*lines, options=(*options, "--json"))
        assert objects(machine.stdout)[-1]["summary"]["interrupted"] is True
        assert objects(machine.stdout)[-1]["summary"]["applied"] == 2
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_a_second_interrupt_raises_at_once(self) -> None:
        with Interruptible() as run:
            signal.raise_signal(signal.SIGINT)
            assert run.interrupted
            signal.raise_signal(signal.SIGINT)
            pytest.fail("the run continued")
        assert run.interrupted

    def test_an_interrupt_while_waiting_for_a_line_raises_at_once(self) -> None:
        def lines() -> Iterator[int]:
            yield 1
            signal.raise_signal(signal.SIGINT)
            yield 2

        with Interruptible() as run:
            assert list(run.each(lines())) == []
            pytest.fail("the run continued")
        assert run.interrupted

    def test_a_handler_set_by_another_program_is_kept(self) -> None:
        def other_handler(number: int, frame: Any) -> None:
            raise NotImplementedError

        before = signal.signal(signal.SIGINT, other_handler)
        try:
            with Interruptible():
                assert signal.getsignal(signal.SIGINT) is other_handler
            assert signal.getsignal(signal.SIGINT) is other_handler
        finally:
            signal.signal(signal.SIGINT, before)

    def test_other_errors_propagate(self) -> None:
        with pytest.raises(ZeroDivisionError), Interruptible():
            raise ZeroDivisionError


class TestDryRuns:
    """A dry run applies the same rules and changes nothing (U-11)."""

    def test_a_dry_run_changes_nothing(self) -> None:
        dry = {"dry": True}
        lines = outcomes(
            update("new") | dry,
            update(cartItems=[ITEM]),
            update(couponCodes=["XMAS"]) | dry,
            update(state="closed") | dry,
            update(state="cancelled") | dry,
            update(state="closed"),
            reopened() | dry,
            returned("order-1", {"position": 0}) | dry,
            update() | dry,
            update(state="closed") | dry,
            returned("order-1", {"position": 0, "quantity": 9}) | dry,
            update(state="partially_returned") | dry,
            update(state="cancelled"),
            update(state="cancelled") | dry,
            reopened("new") | dry,
        )
        assert [(line["outcome"], line["trigger"], line["from"], line["state"]) for line in lines] == [
            ("allowed", "create", None, "open"),
            ("applied", "create", None, "open"),
            ("allowed", "update", "open", "open"),
            ("allowed", "close", "open", "closed"),
            ("allowed", "cancel", "open", "cancelled"),
            ("applied", "close", "open", "closed"),
            ("allowed", "reopen", "closed", "open"),
            ("allowed", "return_items", "closed", "partially_returned"),
            ("refused", "update", "closed", "closed"),
            ("refused", "close", "closed", "closed"),
            ("refused", "return_items", "closed", "closed"),
            ("refused", "update", "closed", "closed"),
            ("applied", "cancel", "closed", "cancelled"),
            ("refused", "cancel", "cancelled", "cancelled"),
            ("refused", "reopen", None, None),
        ]
        codes = [line["violations"][0]["code"] for line in lines if line["outcome"] == "refused"]
        assert codes == [
            "wrong_state",
            "wrong_state",
            "returns_more_than_remaining",
            *["wrong_state"] * 2,
            "unknown_session",
        ]
        assert [line["already"] for line in lines if line["outcome"] == "refused"] == [
            False,
            True,
            False,
            False,
            True,
            False,
        ]
        assert not any("event" in line for line in lines if line["dry"])

    def test_a_dry_close_evaluates_only_its_body(self) -> None:
        dry, real = outcomes(update(cartItems=[ITEM]), update(state="closed") | {"dry": True}, update(state="closed"))[
            1:
        ]
        assert (dry["total"], real["total"]) == (0, 37.5)

    def test_text_output_marks_dry_runs(self) -> None:
        dry = {"dry": True}
        output = replay(update(), update() | dry, update(state="closed") | dry, reopened() | dry).stdout
        assert [line[44:].strip() for line in output.splitlines()[1:4]] == [
            "dry run: open",
            "dry run: open -> closed",
            "dry run: refused, already open",
        ]
        assert "dry runs    2  allowed, and nothing changed\n" in output
        assert summary(update() | dry)["allowedDryRuns"] == 1


class TestUntrustedText:
    """Control characters of a recording are escaped."""

    def test_control_characters_are_escaped_in_text_output(self) -> None:
        result = replay(
            update("\x1b[2Jevil\n\u202e", state="cancelled"),
            update("[red]a[/red]"),
            update(attributes={"\x1b]0;x\x07": 1}),
        )
        assert not {"\x1b", "\x07", "\u202e"} & set(result.output)
        assert r"\x1b[2Jevil\n\u202e" in result.stdout
        assert "[red]a[/red]" in result.stdout
        assert r"\x1b]0;x\x07" in result.stderr

    def test_control_characters_are_escaped_in_json_without_changing_the_value(self) -> None:
        session_id = "\x1b[2J\x9b\u202e日本🍕\x7f"
        output = replay(update(session_id), options=("--json",)).stdout
        assert output.isascii()
        assert objects(output)[0]["sessionId"] == session_id

    def test_printable_characters_are_not_escaped_in_json(self) -> None:
        assert "日本🍕 Döner" in replay(update("日本🍕 Döner"), options=("--json",)).stdout

    def test_details_of_any_type_become_json(self) -> None:
        details = {
            "none": None,
            "yes": True,
            "state": Trigger.CLOSE,
            "exact": Decimal("1.10"),
            "endless": Decimal("NaN"),
            "binary": 0.1,
            "infinite": float("inf"),
            "aware": datetime(2026, 1, 1, tzinfo=UTC),
            "naive": datetime(2026, 1, 1),
            3: [{"b", "a"}, (1, frozenset())],
            "object": Operation,
        }
        assert json_line(details) == (
            '{"none":null,"yes":true,"state":"close","exact":1.10,"endless":"NaN","binary":0.1,"infinite":"Infinity",'
            '"aware":"2026-01-01T00:00:00Z","naive":"2026-01-01 00:00:00","3":[["a","b"],[1,[]]],'
            '"object":"<enum \'Operation\'>"}\n'
        )

    def test_details_of_a_rule_are_in_the_output(self, monkeypatch: Any) -> None:
        @rule("too_cheap", on=[Trigger.CREATE])
        def order_is_worth_something(total: Decimal) -> Violation | None:
            """An order is worth something."""
            return Violation(message="It is not.", details={"total": total, "of": {1}}) if not total else None

        class Shop(CustomerSession):
            rules = (*CustomerSession.rules, order_is_worth_something)

        monkeypatch.setattr(builders, "Shop", Shop, raising=False)
        (outcome,) = outcomes(update(), options=("--class", "builders:Shop"))
        assert outcome["violations"] == [
            {"code": "too_cheap", "message": "It is not.", "details": {"total": 0, "of": ["1"]}}
        ]


class TestTextOfFailedRules:
    """The output contains only the type of the exception that a rule raised."""

    @pytest.mark.parametrize("options", [(), ("--json",)])
    def test_the_text_of_a_rules_exception_is_not_written(self, options: tuple[str, ...], monkeypatch: Any) -> None:
        @rule("unchecked", on=[Trigger.CLOSE])
        def stock_is_reserved(total: Decimal) -> bool:
            """The stock must be reserved."""
            raise ConnectionError("postgresql://shop:secret@db/stock")

        class Shop(CustomerSession):
            rules = (*CustomerSession.rules, stock_is_reserved)

        monkeypatch.setattr(builders, "Shop", Shop, raising=False)
        result = replay(update(), update(state="closed"), options=("--class", "builders:Shop", *options))
        assert result.exit_code == 1
        assert "rule_failed" in result.stdout
        assert "It raised ConnectionError." in result.stdout
        assert "secret" not in result.output


class TestProgress:
    """A progress bar is shown for a long file, if standard error is a terminal."""

    @pytest.fixture
    def long_file(self, tmp_path: Path, monkeypatch: Any) -> Path:
        monkeypatch.setattr(progress, "LONG", 500)
        monkeypatch.setattr(progress, "_PERIOD", 0)
        path = tmp_path / "long.jsonl"
        path.write_text(recording(*[update(str(number)) for number in range(10)], "nonsense"), encoding="utf-8")
        return path

    def test_the_bar_is_on_standard_error_only(self, long_file: Path) -> None:
        plain = run("replay", long_file)
        result = run("replay", long_file, FORCE_COLOR="1", NO_COLOR="1", TERM="xterm", COLUMNS="90")
        assert "100 %" in result.stderr
        assert "nonsense" not in result.stdout
        assert result.stdout == plain.stdout
        assert f"\r\x1b[2Ksession-fsm: {long_file}:11: the document is not JSON" in result.stderr

    def test_lines_are_buffered_while_the_bar_shares_the_terminal(self, long_file: Path, monkeypatch: Any) -> None:
        plain = run("replay", long_file)
        monkeypatch.setattr(progress, "_is_terminal", lambda _: True)
        result = run("replay", long_file, FORCE_COLOR="1", NO_COLOR="1", TERM="xterm", COLUMNS="90")
        assert result.stdout == plain.stdout

    @pytest.mark.parametrize("env", [{}, {"FORCE_COLOR": "1", "TERM": "dumb"}])
    def test_without_a_terminal_there_is_no_bar(self, long_file: Path, env: dict[str, str]) -> None:
        assert run("replay", long_file, **env).stderr.count("\n") == 1

    def test_without_a_size_the_bar_counts_bytes_read(self, long_file: Path) -> None:
        text = long_file.read_text(encoding="utf-8")
        for arguments in (["-"], [long_file, "-"], ["/dev/null", long_file]):
            shown = run("replay", *arguments, stdin=text, FORCE_COLOR="1", TERM="xterm").stderr
            assert "%" not in shown
            assert "bytes read" in shown.replace("\x1b[0m", "").replace("\x1b[32m", "").replace("kB", "bytes")

    def test_short_standard_input_shows_no_bar(self, long_file: Path) -> None:
        shown = run("replay", "-", stdin=recording(update(), "nonsense"), FORCE_COLOR="1", TERM="xterm").stderr
        assert shown.startswith("session-fsm: standard input:2: ")
        assert "read" not in shown.splitlines()[-1].partition("not")[0]

    def test_with_output_to_a_pipe_there_is_no_bar(self, long_file: Path, monkeypatch: Any) -> None:
        monkeypatch.setattr(progress, "_is_pipe", lambda _: True)
        shown = run("replay", long_file, FORCE_COLOR="1", TERM="xterm").stderr
        assert shown.splitlines() == [f"session-fsm: {long_file}:11: {NO_JSON}"]


class TestDemo:
    """The demo replays one order."""

    def test_the_demo_order_has_every_kind_of_request(self) -> None:
        result = run("demo")
        assert (result.exit_code, result.stderr) == (0, "")
        steps = [line[9:43].split() for line in result.output.splitlines() if "  total " in line]
        assert [step[0] for step in steps] == [
            *("create", "update", "close", "update", "close", "close", "return_items", "return_items", "cancel"),
        ]
        for expected in (
            "create        new -> open                         total 87.40",
            "talon_session_created, 3 x MUG-STONEWARE, 1 x TEAPOT-IRON",
            "talon_session_updated, shipping 4.90",
            "coupon_code_required: A session must hold a coupon code by the time it closes.",
            "talon_session_updated, coupon AUTUMN-10-7H2KD",
            "close         open -> closed                      total 92.30",
            "close         refused, already closed             total 92.30",
            "talon_session_partially_returned, 1 x MUG-STONEWARE returned",
            "return_items  refused, still partially_returned   total 92.30",
            "cancel        partially_returned -> cancelled     total 92.30",
            "refused     3  coupon_code_required 1, returns_more_than_remaining 1, wrong_state 1; 1 already in the wanted state",
        ):
            assert expected in result.output

    def test_the_demo_order_can_be_replayed(self) -> None:
        data = files("session_fsm").joinpath("data", "demo_order.jsonl").read_bytes()
        result = run("replay", "-", "--strict", "--class", "session_fsm.cli.commands.demo:DemoSession", stdin=data)
        assert result.exit_code == 1
        assert run("demo").output.endswith(
            result.stdout.split("\n\n")[1] + "\nReplay your own requests with: session-fsm replay FILE\n"
        )

    def test_another_class_applies_its_own_rules(self) -> None:
        output = run("demo", "--class", "session_fsm:CustomerSession").output
        assert output.startswith(
            "One order, from the cart to its cancellation\nCustomerSession, with the rules of CustomerSession\n"
        )
        assert "coupon_code_required" not in output

    def test_a_class_that_cannot_create_a_session_is_shown_as_refusing(self) -> None:
        output = run("demo", "--class", "builders:TenantSession").output
        assert "refused, still no session" in output
        assert "own_fields_missing: A new TenantSession needs tenant" in output
        assert "sessions    0" in output


def test_the_example_of_the_documentation_can_be_replayed() -> None:
    page = (Path(__file__).parents[2] / "docs" / "replay-format.md").read_text(encoding="utf-8")
    example = page.split("```json\n")[1].split("```")[0]
    result = run("replay", "-", "--strict", stdin=example)
    assert result.exit_code == 0
    assert "sessions    1  cancelled 1" in result.stdout


class _GeneratedRecording(io.RawIOBase):
    """A recording of *lines* lines on ten sessions, with every outcome, generated while it is read."""

    def __init__(self, lines: int) -> None:
        self._lines = lines

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._lines -= 1
        name = f"order-{self._lines % 10}"
        outcomes_in_turn = (
            update(name, couponCodes=["XMAS"]),
            update(name, state="closed") | {"dry": True},
            reopened(name),
            returned(name, {"position": 7}),
            {"operation": "update"},
        )
        line = (
            recording(outcomes_in_turn[self._lines // 10 % len(outcomes_in_turn)]).encode() if self._lines >= 0 else b""
        )
        buffer[: len(line)] = line
        return len(line)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_memory_depends_on_sessions_and_not_on_the_recording(options: tuple[str, ...], monkeypatch: Any) -> None:
    def peak(lines: int) -> int:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(_GeneratedRecording(lines))))
        gc.collect()
        tracemalloc.start()
        try:
            with pytest.raises(SystemExit) as ended:
                command.main(["replay", "-", *options])
            assert ended.value.code == 2
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    with Path(os.devnull).open("w", encoding="utf-8") as null:
        monkeypatch.setattr(sys, "stdout", null)
        monkeypatch.setattr(sys, "stderr", null)
        peak(100)  # creates what all sessions share
        short, long = peak(2_500), peak(5_000)  # the interpreter keeps about 2,000 lines of garbage
    assert long - short < 2_500 * 50  # any event would take more than 50 bytes a line


@pytest.mark.parametrize(("items", "most"), [(0, 700), (3, 4_000)])
def test_a_session_uses_no_more_memory_than_documented(items: int, most: int) -> None:
    def play(played: Recording, number: int) -> None:
        cart = [{"sku": f"MUG-{number}-{item}", "quantity": 2, "price": 12.5, "name": "Mug"} for item in range(items)]
        lines = [update(str(number), cartItems=cart), *[update(str(number))] * 5, update(str(number), state="closed")]
        for line in lines:
            played.play(read_request(json.dumps(line).encode()))

    played = Recording(CustomerSession)
    play(played, 0)  # creates what all sessions share
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(1, 401):
            play(played, number)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < most * 400
    finally:
        tracemalloc.stop()
    assert not any(session.pending_events for session in played.sessions.values())


def test_a_snapshot_starts_a_session_and_is_counted_apart() -> None:
    body = {"integrationId": "A", "created": "2026-01-01T00:00:00Z", "state": "closed"}
    lines = recording({"operation": "snapshot", "sessionId": "A", "body": body}, reopened("A"))
    result = run("replay", "-", stdin=lines)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "requests    1  reopen 1" in result.stdout
    assert "snapshots   1  sessions to go on from" in result.stdout
    assert objects(run("replay", "-", "--json", stdin=lines).stdout)[-1]["summary"]["snapshots"] == 1
