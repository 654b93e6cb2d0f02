"""The fast path and the slow path for a line of a recording give the same result."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_documents import parsed
from wire_strategies import any_json

from session_fsm import CustomerSession, WireError, recorded_lines
from session_fsm.recording import Recording, Request, Snapshot, read_line, read_request

UPDATE = {"operation": "update", "sessionId": "A", "body": {"couponCodes": ["XMAS"]}, "time": "2026-02-03T04:05:06Z"}
RETURN = {"operation": "return", "sessionId": "A", "body": {"return": {"returnedCartItems": [{"position": 0}]}}}
REOPEN = {"operation": "reopen", "sessionId": "A", "dry": True, "note": "again"}
LINES: list[dict[str, Any]] = [UPDATE, RETURN, REOPEN]


def outcome(read: Any, *arguments: Any, strict: bool) -> Any:
    """Return the request, or the pointers and texts of the problems."""
    try:
        return read(*arguments, strict=strict)
    except WireError as error:
        return [(problem.pointer, problem.text) for problem in error.problems]


def takes_fast_path(line: bytes, *, strict: bool = False) -> bool:
    """Compare both paths on *line*, and return whether the fast path read it."""
    slow = outcome(recorded_lines._read_slow, line, strict=strict)
    assert outcome(read_request, line, strict=strict) == slow
    try:
        fast = recorded_lines._read_fast(line.decode(), strict=strict)
    except recorded_lines.FALL_BACK:
        return False
    assert fast == slow
    return True


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["operation"])
@pytest.mark.parametrize("strict", [False, True])
def test_a_valid_line_takes_the_fast_path(line: dict[str, Any], strict: bool) -> None:
    assert takes_fast_path(json.dumps(line).encode() + b"\n", strict=strict)


@pytest.mark.parametrize("strict", [False, True])
def test_unknown_members_are_counted_and_ignored(strict: bool) -> None:
    for line in LINES:
        more = line | {"nobody": {"a": [{"b": 1}]}, "note": None}
        assert takes_fast_path(json.dumps(more).encode(), strict=strict) is not strict
    with_body = REOPEN | {"body": {"a": {"b": 1}}}
    assert takes_fast_path(json.dumps(with_body).encode(), strict=strict) is not strict


@pytest.mark.parametrize(
    "line",
    [
        '{"operation":"reopen","sessionId":"A","sessionId":"B"}',
        '{"operation":"reopen","operation" :"update","sessionId":"\\":"}',
        '{"operation":"update","sessionId":"A","body":{"state":"closed","state":"open"}}',
        '{"operation":"reopen","sessionId":null}',
        '{"operation":"reopen"}',
        '{"operation":"lost","sessionId":"A"}',
        '{"operation":"update","sessionId":"A"}',
        '{"operation":"update","sessionId":"A","body":null}',
        '{"operation":"reopen","sessionId":"A","time":"soon"}',
        "[]",
        "{",
    ],
)
def test_an_invalid_line_takes_the_slow_path(line: str) -> None:
    assert not takes_fast_path(line.encode())
    assert isinstance(outcome(read_request, line.encode(), strict=False), list)


def test_a_valid_line_that_the_fast_path_refuses_is_read() -> None:
    line = b'{"operation" : "reopen", "sessionId" : "\\u003a"}'
    assert not takes_fast_path(line)
    read = read_request(line)
    assert isinstance(read, Request)
    assert read.session_id == ":"


@given(
    st.sampled_from(LINES),
    st.sampled_from(["operation", "sessionId", "body", "time", "dry", "note", "nobody"]),
    st.none() | st.booleans() | st.text(max_size=5) | any_json,
    st.booleans(),
)
def test_modified_lines_give_the_same_result_on_both_paths(
    line: dict[str, Any], name: str, value: Any, strict: bool
) -> None:
    try:
        text = json.dumps(line | {name: value})
    except TypeError:  # exact numbers, which the standard library does not write
        return
    if parsed(text) is not None:
        takes_fast_path(text.encode(), strict=strict)


SNAPSHOT = {
    "operation": "snapshot",
    "sessionId": "A",
    "body": {"integrationId": "A", "created": "2026-01-01T00:00:00Z", "state": "closed", "couponCodes": ["XMAS"]},
    "time": "2026-02-03T04:05:06Z",
}


class TestSnapshots:
    """A snapshot stands for the requests before it."""

    def test_the_next_request_finds_the_session_of_the_snapshot(self) -> None:
        played = Recording(CustomerSession)
        snapshot = read_line(json.dumps(SNAPSHOT).encode())
        assert isinstance(snapshot, Snapshot)
        assert str(snapshot.time) == "2026-02-03 04:05:06+00:00"
        played.restore(snapshot)
        result = played.play(read_request(json.dumps(REOPEN | {"dry": False}).encode()))
        assert (result.source, result.state, result.violations) == ("closed", "open", ())
        assert played.sessions["A"].coupon_codes == ("XMAS",)

    def test_a_request_that_says_snapshot_elsewhere_is_a_request(self) -> None:
        line = json.dumps(UPDATE | {"note": "snapshot", "snapshot": True}).encode()
        assert read_line(line) == read_request(line)

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            ({"sessionId": None}, "/sessionId: is missing"),
            ({"body": None}, "/body: is missing"),
            ({"time": "yesterday"}, "/time: is not a time with its time zone, such as 2026-09-14T09:12:00Z"),
            ({"weather": "fine"}, "/weather: is not known"),
        ],
    )
    def test_a_wrong_member_is_reported(self, change: dict[str, Any], problem: str) -> None:
        with pytest.raises(WireError) as refused:
            read_line(json.dumps(SNAPSHOT | change).encode(), strict=True)
        assert str(refused.value) == problem

    @pytest.mark.parametrize("line", [b'"snapshot"', b'{"operation": "snapshot"'])
    def test_a_line_that_is_no_object_is_reported_as_for_a_request(self, line: bytes) -> None:
        assert outcome(read_line, line, strict=False) == outcome(read_request, line, strict=False)

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [({"state": "lost"}, "/body/state"), ({"integrationId": "B"}, "/body/integrationId")],
    )
    def test_a_document_of_another_session_is_refused(self, body: dict[str, Any], pointer: str) -> None:
        snapshot = read_line(json.dumps(SNAPSHOT | {"body": SNAPSHOT["body"] | body}).encode())
        assert isinstance(snapshot, Snapshot)
        with pytest.raises(WireError) as refused:
            Recording(CustomerSession).restore(snapshot)
        assert [problem.pointer for problem in refused.value.problems] == [pointer]
