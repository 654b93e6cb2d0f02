"""`drift` compares a description of the API with a session class."""

import json
from copy import deepcopy
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_fsm import CustomerSession, InvalidValue, SessionUpdate, wire
from session_fsm.drift import KNOWN, Difference, drift
from session_fsm.errors import ErrorResponse

PUT, RETURNS = "/v2/customer_sessions/{customerSessionId}", "/v2/customer_sessions/{customerSessionId}/returns"
SESSION = ("components", "schemas", "Session", "properties")


def described() -> dict[str, Any]:
    """Return a description of exactly what the library knows."""
    schemas: dict[str, Any] = {}
    kinds = {"Session": CustomerSession, "Update": SessionUpdate, "Return": wire.ReturnRequest, "Error": ErrorResponse}
    for name, kind in kinds.items():
        text = json.dumps(wire.json_schema(kind)).replace("#/$defs/", f"#/components/schemas/{name}.")
        schema = json.loads(text)
        schemas |= {f"{name}.{inner}": one for inner, one in schema.pop("$defs", {}).items()}
        schemas[name] = schema
    return {
        "openapi": "3.1.0",
        "paths": {
            "/v2/other": {"get": {}},
            PUT: {
                "put": {
                    "requestBody": _content(_holder("customerSession", "Update")),
                    "responses": {200: _content(_holder("customerSession", "Session")), "400": _content(_ref("Error"))},
                }
            },
            RETURNS: {"post": {"requestBody": _content(_holder("return", "Return"))}},
        },
        "components": {"schemas": schemas},
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _holder(member: str, name: str) -> dict[str, Any]:
    return {"type": "object", "properties": {member: _ref(name)}}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def changed(*steps: Any, to: Any = None, remove: bool = False) -> dict[str, Any]:
    """Return the description with another value at the end of *steps*."""
    description = described()
    held: Any = description
    for step in steps[:-1]:
        held = held[step]
    if remove:
        del held[steps[-1]]
    else:
        held[steps[-1]] = to
    return description


def facts(found: list[Difference]) -> list[tuple[str, str, str]]:
    return [(one.place, one.kind, one.fact) for one in found]


def test_a_description_of_what_the_class_knows_does_not_differ() -> None:
    assert drift(described()) == []


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        (changed(*SESSION, "coupon", to={"type": "string"}), ("session/coupon", "new", "member")),
        (changed(*SESSION, "total", remove=True), ("session/total", "gone", "member")),
        (changed(*SESSION, "total", "type", to="string"), ("session/total", "different", "type")),
        (changed(*SESSION, "total", "type", to=["string", "null"]), ("session/total", "different", "type")),
        (changed(*SESSION, "created", "format", to="date"), ("session/created", "different", "format")),
        (changed(*SESSION, "identifiers", "maxItems", to=9), ("session/identifiers", "different", "maxItems")),
        (changed(*SESSION, "identifiers", "maxItems", remove=True), ("session/identifiers", "gone", "maxItems")),
        (changed(*SESSION, "total", "minimum", to=0), ("session/total", "new", "minimum")),
        (changed(*SESSION, "id", "minimum", to=0), ("session/id", "different", "minimum")),
        (changed(*SESSION, "state", "enum", to=["open"]), ("session/state", "gone", "enum")),
        (changed(*SESSION, "state", "enum", remove=True), ("session/state", "gone", "enum")),
        (changed(*SESSION, "profileId", "enum", to=["a", 1]), ("session/profileId", "new", "enum")),
        (
            changed(*SESSION, "state", "enum", to=["open", "closed", "partially_returned", "cancelled", "lost"]),
            ("session/state", "new", "enum"),
        ),
        (
            changed(*SESSION[:-1], "required", to=["created", "integrationId", "id"]),
            ("session/id", "new", "required"),
        ),
        (changed(*SESSION[:-1], "required", to=["created"]), ("session/integrationId", "gone", "required")),
        (
            changed(*SESSION[:2], "Update.RequestedCartItem", "properties", "sku", "minLength", to=2),
            ("update/cartItems/*/sku", "different", "minLength"),
        ),
        (
            changed(*SESSION[:2], "Session.AdditionalCost", "properties", "price", "type", to="string"),
            ("session/cartItems/*/additionalCosts/*/price", "different", "type"),
        ),
        (changed("paths", RETURNS, remove=True), ("return", "gone", "document")),
        (changed("paths", PUT, "put", "requestBody", "content", to={}), ("update", "gone", "document")),
        (changed("paths", PUT, "put", "responses", "400", to={}), ("error", "gone", "document")),
        (changed("paths", PUT, "put", "responses", to=[]), ("session", "gone", "document")),
    ],
)
def test_a_difference_has_its_place_kind_and_fact(description: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert expected in facts(drift(description))


def test_a_difference_has_its_pointer_and_text() -> None:
    (found,) = drift(changed(*SESSION, "total", "type", to="string"))
    assert found.pointer == "/components/schemas/Session/properties/total"
    assert found.text == "the type is string, and the class has number"


def test_parts_of_all_of_are_merged() -> None:
    description = described()
    schemas = description["components"]["schemas"]
    schemas["Part"] = {"required": schemas["Session"].pop("required"), "properties": {}}
    schemas["Whole"] = {"allOf": [_ref("Part"), _ref("Session"), True]}
    body = description["paths"][PUT]["put"]["responses"][200]["content"]["application/json"]["schema"]
    body["properties"]["customerSession"] = _ref("Whole")
    assert drift(description) == []


def test_null_and_a_single_alternative_do_not_differ() -> None:
    total = {"anyOf": [{"type": "number"}, {"type": "null"}]}
    assert drift(changed(*SESSION, "total", to=total)) == []
    several = {"oneOf": [{"type": "string"}, {"type": "boolean"}]}
    assert drift(changed(*SESSION, "total", to=several)) == []


def test_own_fields_of_a_class_are_not_expected() -> None:
    @attrs.define(kw_only=True, eq=False, repr=False)
    class BranchSession(CustomerSession):
        branch: str = "main"

    assert drift(described(), BranchSession) == []
    found = drift(changed(*SESSION, "branch", to={"type": "integer"}), BranchSession)
    assert facts(found) == [("session/branch", "different", "type")]


def test_a_schema_that_holds_itself_is_compared_once() -> None:
    description = described()
    schemas = description["components"]["schemas"]
    schemas["Session.CartItem"]["allOf"] = [_ref("Session.CartItem")]
    assert drift(description) == []


@pytest.mark.parametrize(
    ("description", "text"),
    [
        ([], "it has no paths"),
        ({"openapi": "3.1.0"}, "it has no paths"),
        ({"paths": {"/v2/other": {}}}, "no path describes customer sessions"),
        (changed(*SESSION[:2], "Session", to={"$ref": "#/components/schemas/Session"}), "leads nowhere"),
        (changed(*SESSION[:2], "Session", remove=True), "the reference #/components/schemas/Session leads nowhere"),
    ],
)
def test_what_is_no_description_is_refused(description: Any, text: str) -> None:
    with pytest.raises(InvalidValue, match=text):
        drift(description)


@given(data=st.data())
def test_a_damaged_description_is_compared_or_refused(data: st.DataObject) -> None:
    description = deepcopy(DESCRIBED)
    held: Any = description
    while True:
        key = data.draw(st.sampled_from(sorted(held, key=str) if isinstance(held, dict) else range(len(held))))
        if not isinstance(held[key], (dict, list)) or not held[key] or data.draw(st.integers(0, 9)) == 0:
            break
        held = held[key]
    held[key] = data.draw(st.sampled_from([None, [], {}, 1, "x", ["x"], {"x": 1}, True, [None]]))
    try:
        found = drift(description)
    except InvalidValue:
        return
    assert all(one.text and one.place for one in found)


DESCRIBED = described()


def test_known_differences_have_reasons() -> None:
    assert all(KNOWN.values())
    assert ("session/closurePrediction", "member") in KNOWN
