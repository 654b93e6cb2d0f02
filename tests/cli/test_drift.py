"""``session-fsm drift``."""

import json
import sys

import pytest
from command_line import run

DESCRIPTION = """
openapi: 3.1.0
paths:
  /v2/customer_sessions/{id}:
    put:
      requestBody: {content: {application/json: {schema: {properties: {customerSession: {$ref: '#/x'}}}}}}
x: {allOf: [{$ref: '#/y'}, {properties: {coupon: {type: string}, state: {type: string, enum: [open]}}}]}
y: {properties: {profileId: {type: string}, attributes: {type: object}}}
"""


@pytest.fixture
def description(tmp_path):
    path = tmp_path / "openapi.yaml"
    path.write_text(DESCRIPTION, encoding="utf-8")
    return path


def test_differences_are_status_1_with_their_places(description):
    result = run("drift", description)
    assert result.exit_code == 1
    assert "update/coupon                        new member     the class has no such member" in result.output
    assert "values that the description does not have: closed, partially_returned, cancelled" in result.output


def test_json_has_every_difference(description):
    result = run("drift", description, "--json")
    found = json.loads(result.output)["differences"]
    assert {
        "place": "update/coupon",
        "kind": "new",
        "fact": "member",
        "text": "the class has no such member",
        "pointer": "/x/allOf/1/properties/coupon",
        "known": None,
    } in found


def test_ignored_differences_are_left_out(description):
    lines = run("drift", description).output.splitlines()
    places = dict.fromkeys(line.split()[0] for line in lines)
    ignored = [option for place in places for option in ("--ignore", place)]
    result = run("drift", description, *ignored)
    assert (result.exit_code, result.output) == (0, "CustomerSession knows everything that is described\n")
    assert "update/coupon " not in run("drift", description, "--ignore", "update/coupon:member").output


RETURNS = """
paths:
  /customer_sessions/{id}/returns:
    post: {requestBody: {content: {application/json: {schema: {properties: {return: {$ref: '#/x'}}}}}}}
x: {required: [returnedCartItems], properties: {returnedCartItems: {items: {$ref: '#/y'}}}}
y: {properties: {quantity: {type: integer}, position: {}, sku: {minLength: 1}}}
"""


def test_differences_on_purpose_are_shown_on_request(tmp_path):
    path = tmp_path / "openapi.yaml"
    path.write_text(RETURNS, encoding="utf-8")
    assert "returnedCartItems" not in run("drift", path).output
    assert "(on purpose: nothing comes back of no units)" in run("drift", path, "--all").output


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "{", "the document is not JSON"),
        ("a.yaml", "a: [", "it is not YAML: while parsing"),
        ("a.yaml", "a: 1", "it has no paths"),
        ("a.yaml", "\x00", "it is not YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_status_2(tmp_path, name, text, message):
    (tmp_path / name).write_text(text, encoding="utf-8")
    result = run("drift", tmp_path / name)
    assert result.exit_code == 2
    assert message in result.stderr


def test_without_pyyaml_the_message_says_what_to_install(description, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    result = run("drift", description)
    assert result.exit_code == 2
    assert "pip install 'session-fsm[cli]', or give JSON" in result.stderr
