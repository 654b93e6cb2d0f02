"""``session-fsm schema``."""

import json

import pytest
from builders import TenantSession
from command_line import run

from session_fsm import CustomerSession, SessionEvent, SessionUpdate, wire

KINDS = {
    "session": CustomerSession,
    "update": SessionUpdate,
    "return": wire.ReturnRequest,
    "event": SessionEvent,
    "error": wire.ErrorResponse,
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_writes_the_schema_of_each_kind(kind):
    result = run("schema", "--kind", kind)
    assert result.exit_code == 0
    assert json.loads(result.output) == wire.json_schema(KINDS[kind])


def test_the_own_fields_of_a_class_are_in_its_schema():
    schema = json.loads(run("schema", "--class", "builders:TenantSession").output)
    assert schema == wire.json_schema(TenantSession)
    assert "tenant" in schema["required"]
    event = json.loads(run("schema", "--class", "builders:TenantSession", "--kind", "event").output)
    assert event == wire.json_schema(SessionEvent, session_class=TenantSession)


def test_the_schema_of_what_is_written_requires_more():
    schema = json.loads(run("schema", "--written").output)
    assert schema == wire.json_schema(written=True)
    assert "total" in schema["required"]


def test_another_kind_is_a_usage_error():
    result = run("schema", "--kind", "cart")
    assert result.exit_code == 2
    assert "'cart' is not one of 'session', 'update', 'return', 'event', 'error'" in result.stderr
