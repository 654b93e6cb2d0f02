"""``session-fsm check``: valid documents, and the problems of invalid ones."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from command_line import run

from session_fsm import CustomerSession, SessionEvent, SessionUpdate, WireError, WrongState, wire
from session_fsm.wire.text import MOST_BYTES

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SESSION = {"integrationId": "order-1", "created": "2026-03-01T09:00:00Z", "updated": "2026-03-01T09:00:00Z"}
UPDATE = {"profileId": "ann", "cartItems": [{"sku": "MUG", "quantity": 3, "price": 12.5}], "state": "open"}
RETURN = {"returnedCartItems": [{"position": 2, "quantity": 1}, {"position": 2, "sku": "MUG"}]}


def refused(text: str, kind: type) -> bool:
    """Whether `wire.loads` refuses a document."""
    try:
        wire.loads(text, kind)
    except WireError:
        return True
    return False


@pytest.fixture
def document(tmp_path: Path) -> Any:
    """Return a function that writes a document into a file and returns its path."""

    def write(content: Any, name: str = "document.json") -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


class TestKinds:
    """The members of a document decide its kind."""

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (UPDATE, "update"),
            ({"customerSession": UPDATE}, "update"),
            ({"customerSession": UPDATE, "responseContent": ["customerSession", "customerProfile"]}, "update"),
            ({"customerSession": {"state": "closed"}}, "update"),
            ({}, "update"),
            (RETURN, "return"),
            ({"return": RETURN}, "return"),
            ({"return": RETURN, "responseContent": ["customerSession"]}, "return"),
            (SESSION, "session"),
            ({**SESSION, **UPDATE, "id": 6, "applicationId": 322, "effects": []}, "session"),
            ({"customerSession": {**UPDATE, "updated": "ignored", "total": 3}}, "update"),
            ({"customerSession": {**UPDATE, "id": 6, "integrationId": "ignored"}, "responseContent": []}, "update"),
            ({"customerSession": {**SESSION, **UPDATE}, "effects": []}, "response"),
            ({"customerSession": {**SESSION, **UPDATE}}, "response"),
            ({"customerSession": {**SESSION, **UPDATE}, "return": RETURN, "previousReturns": [RETURN]}, "response"),
            ({"message": "The submitted data was invalid"}, "error envelope"),
            ({"message": "Too many requests", "StatusCode": 409}, "error envelope"),
            (
                {"message": "No", "errors": [{"title": "enum", "details": "No", "source": {}}], "StatusCode": 400},
                "error envelope",
            ),
        ],
    )
    def test_a_valid_document_is_reported_as_valid(self, document: Any, content: Any, kind: str) -> None:
        path = document(content)
        result = run("check", path)
        assert (result.exit_code, result.output.splitlines()[0]) == (0, f"{path}: valid {kind}")

    @pytest.mark.parametrize("content", [None, 3, [], '"text"', True])
    @pytest.mark.parametrize("kind", ["session", "update", "return", "event", "response", "error"])
    def test_every_kind_must_be_an_object(self, document: Any, content: Any, kind: str) -> None:
        result = run("check", "--kind", kind, document(content))
        assert result.exit_code == 1
        assert "is not an object" in result.output

    def test_an_event_is_recognised(self, document: Any) -> None:
        session = CustomerSession.create("order-1")
        path = document(wire.dumps(session.pending_events[0]).decode())
        assert run("check", path).output == f"{path}: valid event\n"

    def test_the_kind_can_be_given(self, document: Any) -> None:
        path = document(UPDATE)
        result = run("check", "--kind", "session", path)
        assert result.exit_code == 1
        assert result.output.splitlines() == [
            f"{path}: /created: is missing",
            f"{path}: /integrationId: is missing",
            f"{path}: /updated: is missing",
        ]

    def test_own_fields_of_a_class_are_read(self, document: Any) -> None:
        path = document({**SESSION, "tenant": 3})
        assert run("check", path).exit_code == 0
        result = run("check", path, "--class", "builders:TenantSession")
        assert (result.exit_code, result.output) == (1, f"{path}: /tenant: a number is not a string\n")


class TestAnswers:
    """Every part of an API answer that this library reads is checked."""

    @pytest.mark.parametrize(
        ("member", "problem"),
        [
            (
                {"customerSession": {**SESSION, "cartItems": [{"sku": "A", "quantity": 0}]}},
                "/customerSession/cartItems/0/quantity: 0 is less than 1",
            ),
            ({"customerSession": {"integrationId": "order-1"}}, "/customerSession/created: is missing"),
            ({"customerSession": {"created": "2026-03-01T09:00:00Z"}}, "/customerSession/integrationId: is missing"),
            ({"customerSession": []}, "/customerSession: a list is not an object"),
            (
                {"return": {"returnedCartItems": [{"position": -1}]}},
                "/return/returnedCartItems/0/position: -1 is less than 0",
            ),
            ({"return": {"id": 5}}, "/return/returnedCartItems: is missing"),
            (
                {"previousReturns": [RETURN, {"returnedCartItems": 5}]},
                "/previousReturns/1/returnedCartItems: a number is not a list",
            ),
            ({"previousReturns": {}}, "/previousReturns: an object is not a list"),
            ({"effects": {}}, "/effects: an object is not a list"),
            ({"createdCoupons": "XMAS"}, "/createdCoupons: a string is not a list"),
            ({"event": {"trigger": "close", "sessionId": "order-1"}}, "/event/at: is missing"),
        ],
    )
    def test_problems_of_each_part_have_their_pointer(
        self, document: Any, member: dict[str, Any], problem: str
    ) -> None:
        path = document({"effects": [], "customerSession": SESSION} | member)
        result = run("check", path)
        assert result.exit_code == 1
        assert f"{path}: {problem}" in result.output.splitlines()

    def test_members_that_only_the_api_defines_are_not_checked(self, document: Any) -> None:
        api = {"id": 3, "created": "now", "type": "talon_session_created", "attributes": {}, "effects": []}
        entity = {**RETURN, "id": 1, "created": "now", "applicationId": 2, "accountId": 3, "eventId": 4, "sessionId": 5}
        answer: dict[str, Any] = {
            "effects": [{}],
            "event": api,
            "customerSession": SESSION,
            "return": entity,
            "referral": None,
        }
        path = document(answer)
        assert run("check", path).output == f"{path}: valid response\n"
        assert run("check", "--strict", path).exit_code == 0

    def test_the_former_name_of_the_kind_is_accepted(self, document: Any) -> None:
        path = document({"effects": [], "customerSession": SESSION})
        for name in ("response", "answer"):
            assert run("check", "--kind", name, path).output == f"{path}: valid response\n"
        assert "answer" not in run("check", "--help").output

    def test_json_lines_are_recognised(self, document: Any) -> None:
        path = document("\n".join(map(json.dumps, [UPDATE, RETURN])))
        text = "the file has JSON Lines, and check reads one document; session-fsm replay reads recorded requests"
        assert run("check", path).output == f"{path}: {text}\n"
        assert "JSON Lines" not in run("check", document("{}\nnonsense")).output
        assert "JSON Lines" not in run("check", document("5\n6")).output

    def test_a_response_without_a_session_gets_a_note(self, document: Any) -> None:
        path = document({"effects": [], "createdCoupons": [], "createdReferrals": []})
        result = run("check", "--strict", path)
        assert result.exit_code == 0
        note = 'note: it holds no session; a request asks for it by "responseContent": ["customerSession"]'
        assert result.output.splitlines() == [f"{path}: valid response", f"{path}: {note}"]

    def test_an_event_of_this_library_in_a_response_is_read_with_the_class(self, document: Any) -> None:
        event = wire.unstructure(CustomerSession.create("order-1", now=NOW).pending_events[0])
        path = document({"effects": [], "customerSession": {**SESSION, "tenant": "acme"}, "event": event})
        assert run("check", path, "--class", "builders:TenantSession").output == f"{path}: valid response\n"

    @pytest.mark.parametrize("kind", ["session", "update", "return", "event", "response"])
    @pytest.mark.parametrize(
        "content",
        [
            {"customerSession": {**SESSION, "cartItems": [{"sku": "A", "quantity": 0}]}, "effects": []},
            {"customerSession": {**SESSION, "state": "shipped"}},
            {**SESSION, "total": "12"},
            {"returnedCartItems": [{"quantity": 0}]},
            {"trigger": "close", "sessionId": "order-1"},
        ],
    )
    def test_a_document_that_loads_refuses_is_never_valid(
        self, document: Any, content: dict[str, Any], kind: str
    ) -> None:
        kinds = {
            "session": CustomerSession,
            "update": SessionUpdate,
            "return": wire.ReturnRequest,
            "event": SessionEvent,
        }
        text = json.dumps(content)
        accepted = run("check", "--kind", kind, document(text)).exit_code == 0
        assert not accepted or not refused(text, kinds.get(kind, CustomerSession))
        assert run("check", document(text)).exit_code == 1


class TestErrors:
    """An error envelope is checked as the official clients need it (W-18)."""

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ({"errors": []}, "/message: is missing"),
            ({"message": 5}, "/message: a number is not a string"),
            ({"message": "No", "errors": {}}, "/errors: an object is not a list"),
            ({"message": "No", "errors": ["x"]}, "/errors/0: a string is not an object"),
            ({"message": "No", "errors": [{"title": "a", "details": "b"}]}, "/errors/0/source: is missing"),
            ({"message": "No", "errors": [{"source": "/state"}]}, "/errors/0/source: a string is not an object"),
            ({"message": "No", "errors": [{"source": {}, "title": 3}]}, "/errors/0/title: a number is not a string"),
            ({"message": "No", "StatusCode": "409"}, "/StatusCode: a string is not an integer"),
            ({"message": "No", "StatusCode": True}, "/StatusCode: a boolean is not an integer"),
        ],
    )
    def test_problems_of_an_error_envelope_are_reported(
        self, document: Any, content: dict[str, Any], problem: str
    ) -> None:
        path = document(content)
        result = run("check", path)
        assert (result.exit_code, result.output) == (1, f"{path}: {problem}\n")

    def test_an_error_envelope_of_this_library_is_valid(self, document: Any) -> None:
        session = CustomerSession.create("order-1")
        with pytest.raises(WrongState) as refused:
            session.reopen()
        path = document(wire.to_error_response(refused.value))
        assert run("check", "--strict", path).output == f"{path}: valid error envelope\n"


class TestNotes:
    """Unknown members are reported, with a similar known name."""

    @pytest.mark.parametrize(
        ("content", "note"),
        [
            ({**UPDATE, "coupon": "XMAS"}, "/coupon: is not known; did you mean couponCodes?"),
            ({**UPDATE, "referral": "ANN"}, "/referral: is not known; did you mean referralCode?"),
            ({"customerSession": {"Items": []}}, "/Items: is not known; did you mean cartItems?"),
            (
                {"customerSession": {}, "responseContents": []},
                "beside customerSession, responseContents is not known; did you mean responseContent?",
            ),
            ({**UPDATE, "colour": "red"}, "/colour: is not known"),
            (
                {"cartItems": [{"sku": "A", "quantity": 1, "Price": 3}]},
                "/cartItems/0/Price: is not known; did you mean price?",
            ),
            (
                {"cartItems": [{"sku": "A", "quantity": 1, "additionalCosts": {"gift": {"price": 1, "prices": 2}}}]},
                "/cartItems/0/additionalCosts/gift/prices: is not known; did you mean price?",
            ),
            ({"return": {**RETURN, "returnId": 5}}, "/returnId: is not known"),
            ({"return": RETURN, "effects": []}, "/createdCoupon: is not known; did you mean createdCoupons?"),
            ({"a/b~": 1, "state": "open"}, "/a~1b~0: is not known"),
            ({**SESSION, "integrationID": "x"}, "/integrationID: is not known; did you mean integrationId?"),
            (
                {"customerSession": SESSION, "return": {**RETURN, "accountID": 3}},
                "/return/accountID: is not known; did you mean accountId?",
            ),
            ({"message": "No", "statusCode": 400}, "/statusCode: is not known; did you mean StatusCode?"),
            (
                {"message": "No", "errors": [{"source": {}, "detail": "x"}]},
                "/errors/0/detail: is not known; did you mean details?",
            ),
        ],
    )
    def test_a_similar_known_name_is_suggested(self, document: Any, content: dict[str, Any], note: str) -> None:
        if "createdCoupon:" in note:
            content = {**content, "createdCoupon": []}
        path = document(content)
        result = run("check", path)
        assert result.exit_code == 0
        assert f"{path}: note: {note}" in result.output.splitlines()
        strict = run("check", "--strict", path)
        assert strict.exit_code == 1
        assert f"{path}: {note}" in strict.output.splitlines()

    def test_a_wrapped_session_is_valid(self, document: Any) -> None:
        path = document({"customerSession": SESSION, "effect": []})
        result = run("check", "--kind", "session", path)
        assert result.output.splitlines() == [
            f"{path}: valid session",
            f"{path}: note: beside customerSession, effect is not known; did you mean effects?",
        ]

    def test_notes_after_the_20th_are_only_counted(self, document: Any) -> None:
        path = document({**UPDATE, **{f"unknown{number}": 1 for number in range(30)}})
        lines = run("check", path).output.splitlines()
        assert len(lines) == 22
        assert lines[-1] == f"{path}: note: and 10 more"


class TestProblems:
    """Every problem is reported on its own line, with its pointer."""

    def test_all_problems_of_all_files_are_reported(self, document: Any) -> None:
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
    def test_a_problem_of_the_whole_document_has_no_pointer(self, document: Any, content: str, problem: str) -> None:
        path = document(content)
        result = run("check", path)
        assert (result.exit_code, result.output) == (1, f"{path}: {problem}\n")

    def test_a_document_that_is_too_large_is_refused(self, document: Any) -> None:
        path = document(" " * (MOST_BYTES + 10))
        assert run("check", path).output == f"{path}: the document is larger than 16,777,216 bytes\n"

    def test_a_document_without_known_members_is_not_recognised(self, document: Any) -> None:
        path = document({"operation": "update", "sessionId": "order-1"})
        result = run("check", path)
        problem = "no member of it is known: it is no session, update, return, event, response or error envelope"
        assert (result.exit_code, result.output.splitlines()[0]) == (1, f"{path}: {problem}")
        assert run("check", "--kind", "update", path).exit_code == 0

    def test_unknown_fields_are_refused_with_strict(self, document: Any) -> None:
        path = document({**UPDATE, "couponCode": "XMAS"})
        assert run("check", path).exit_code == 0
        result = run("check", "--strict", path)
        assert (result.exit_code, result.output) == (
            1,
            f"{path}: /couponCode: is not known; did you mean couponCodes?\n",
        )

    def test_control_characters_in_a_file_are_escaped(self, document: Any) -> None:
        path = document({"\x1b[31mred": 1, "state": "open"})
        output = run("check", path).output
        assert "\x1b" not in output
        assert r"/\x1b[31mred: is not known" in output


class TestFiles:
    """Files that cannot be opened are reported on standard error, and the others are checked."""

    def test_standard_input_can_be_checked(self) -> None:
        result = run("check", "-", stdin=json.dumps(UPDATE))
        assert (result.exit_code, result.output) == (0, "standard input: valid update\n")

    def test_a_missing_file_and_a_directory_are_reported(self, document: Any, tmp_path: Path) -> None:
        good, bad, missing = document(UPDATE, "good.json"), document([], "bad.json"), tmp_path / "missing.json"
        result = run("check", missing, good, tmp_path, bad)
        assert result.exit_code == 2
        assert result.stdout.splitlines() == [f"{good}: valid update", f"{bad}: a list is not an object"]
        assert result.stderr.splitlines() == [
            f"session-fsm: {missing}: No such file or directory",
            f"session-fsm: {tmp_path}: Is a directory",
        ]
