"""``session-fsm check``: whether documents are valid, and where they are not."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import run

from session_fsm import CustomerSession, wire
from session_fsm.wire.text import MOST_BYTES

SESSION = {"integrationId": "order-1", "created": "2026-03-01T09:00:00Z", "updated": "2026-03-01T09:00:00Z"}
UPDATE = {"profileId": "ann", "cartItems": [{"sku": "MUG", "quantity": 3, "price": 12.5}], "state": "open"}
RETURN = {"returnedCartItems": [{"position": 2, "quantity": 1}, {"position": 2, "sku": "MUG"}]}


@pytest.fixture
def document(tmp_path: Path) -> Any:
    """Return a function that writes a document into a file and returns its path."""

    def write(content: Any, name: str = "document.json") -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


class TestKinds:
    """What a document is, is guessed from its members."""

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (UPDATE, "update"),
            ({"customerSession": UPDATE}, "update"),
            ({"customerSession": UPDATE, "responseContent": ["customerSession", "customerProfile"]}, "update"),
            ({"customerSession": {"state": "closed"}}, "update"),
            ({"customerSession": {**UPDATE, "integrationId": "ignored"}}, "update"),
            ({}, "update"),
            (RETURN, "return"),
            ({"return": RETURN}, "return"),
            ({"return": RETURN, "responseContent": ["customerSession"]}, "return"),
            (SESSION, "session"),
            ({**SESSION, **UPDATE, "id": 6, "applicationId": 322, "effects": []}, "session"),
            ({"customerSession": {**SESSION, **UPDATE}, "effects": []}, "session"),
        ],
    )
    def test_a_valid_document_is_said_to_be_so(self, document: Any, content: Any, kind: str) -> None:
        path = document(content)
        result = run("check", path)
        assert (result.exit_code, result.output) == (0, f"{path}: valid {kind}\n")

    def test_an_event_is_recognised(self, document: Any) -> None:
        session = CustomerSession.create("order-1")
        path = document(wire.dumps(session.pending_events[0]).decode())
        assert run("check", path).output == f"{path}: valid event\n"

    def test_what_a_document_is_can_be_said(self, document: Any) -> None:
        path = document(UPDATE)
        result = run("check", "--kind", "session", path)
        assert result.exit_code == 1
        assert result.output.splitlines() == [
            f"{path}: /created: is missing",
            f"{path}: /integrationId: is missing",
            f"{path}: /updated: is missing",
        ]

    def test_a_class_of_ones_own_may_have_fields_of_its_own(self, document: Any) -> None:
        path = document({**SESSION, "tenant": 3})
        assert run("check", path).exit_code == 0
        result = run("check", path, "--class", "builders:TenantSession")
        assert (result.exit_code, result.output) == (1, f"{path}: /tenant: a number is not a string\n")


class TestProblems:
    """Every problem has a line of its own, with the pointer to its place."""

    def test_all_problems_of_all_files_are_written(self, document: Any) -> None:
        bad = document({"customerSession": {"cartItems": [{"quantity": 0}], "couponCodes": "XMAS"}}, "bad.json")
        good = document(RETURN, "good.json")
        worse = document({"return": {"returnedCartItems": [{"quantity": True}]}}, "worse.json")
        result = run("check", bad, good, worse)
        assert result.exit_code == 1
        assert result.stderr == ""
        assert sorted(result.output.splitlines()) == [
            f"{bad}: /cartItems/0/quantity: 0 is less than 1",
            f"{bad}: /cartItems/0/sku: is missing",
            f"{bad}: /couponCodes: a string is not a list",
            f"{good}: valid return",
            f"{worse}: /returnedCartItems/0/quantity: a boolean is not an integer",
        ]

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ("", "the document is empty"),
            ("[1]", "a list is not an object"),
            ('{"a": 1', "the document is not JSON: Expecting ',' delimiter (line 1, column 8)"),
            ('{"state": "open", "state": "open"}', 'the document names "state" twice in one object'),
            ("[" * 100_000, "the document is nested too deeply"),
        ],
    )
    def test_what_is_wrong_with_the_whole_has_no_pointer(self, document: Any, content: str, problem: str) -> None:
        path = document(content)
        result = run("check", path)
        assert (result.exit_code, result.output) == (1, f"{path}: {problem}\n")

    def test_a_document_that_is_too_large_is_not_read_to_its_end(self, document: Any) -> None:
        path = document(" " * (MOST_BYTES + 10))
        assert run("check", path).output == f"{path}: the document is larger than 16,777,216 bytes\n"

    def test_a_document_of_which_nothing_is_known_is_none_of_them(self, document: Any) -> None:
        path = document({"message": "The submitted data was invalid", "errors": []})
        result = run("check", path)
        problem = "no member of it is known: it is no session, update, return or event"
        assert (result.exit_code, result.output) == (1, f"{path}: {problem}\n")
        assert run("check", "--kind", "update", path).exit_code == 0

    def test_unknown_fields_are_refused_on_request(self, document: Any) -> None:
        path = document({**UPDATE, "couponCode": "XMAS"})
        assert run("check", path).exit_code == 0
        result = run("check", "--strict", path)
        assert (result.exit_code, result.output) == (1, f"{path}: /couponCode: is not known\n")

    def test_what_a_file_holds_cannot_control_the_terminal(self, document: Any) -> None:
        path = document({"couponCodes": [], "attributes": {"\x1b[31mred": 1}})
        output = run("check", path).output
        assert "\x1b" not in output
        assert r"\x1b[31mred" in output


class TestFiles:
    """Files that cannot be opened are named on standard error, and the others are checked."""

    def test_standard_input_is_a_file_too(self) -> None:
        result = run("check", "-", stdin=json.dumps(UPDATE))
        assert (result.exit_code, result.output) == (0, "standard input: valid update\n")

    def test_a_missing_file_and_a_directory_are_named(self, document: Any, tmp_path: Path) -> None:
        good, bad, missing = document(UPDATE, "good.json"), document([], "bad.json"), tmp_path / "missing.json"
        result = run("check", missing, good, tmp_path, bad)
        assert result.exit_code == 2
        assert result.stdout.splitlines() == [f"{good}: valid update", f"{bad}: a list is not an object"]
        assert result.stderr.splitlines() == [
            f"session-fsm: {missing}: No such file or directory",
            f"session-fsm: {tmp_path}: Is a directory",
        ]
