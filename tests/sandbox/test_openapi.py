"""The description at /sandbox/openapi.json, and the answers that it describes."""

from importlib.util import find_spec
from typing import Any

import pytest
import tools
from sandbox_client import CART, Client

from session_fsm.sandbox import create_app


def served() -> Any:
    return Client().send("GET", "/sandbox/openapi.json").json()


def test_it_describes_every_path_that_is_served() -> None:
    app = create_app()
    routes = {route.path for route in app._control.app.routes} - {"/", "/sandbox"}  # type: ignore[attr-defined]  # any route of Starlette
    document = served()
    assert {path for path in document["paths"] if path.startswith("/sandbox")} == routes
    operations = [
        operation for path in document["paths"].values() for operation in path.values() if "responses" in operation
    ]
    assert len(operations) == 5 + 16
    assert len({operation["operationId"] for operation in operations}) == len(operations)


def test_every_reference_leads_somewhere() -> None:
    document = served()

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            found = [value["$ref"]] if "$ref" in value else []
            return found + [one for member in value.values() for one in references(member)]
        return [one for element in value for one in references(element)] if isinstance(value, list) else []

    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) == names


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_schemathesis_finds_no_answer_that_is_not_described() -> None:
    """Requests of any form, valid and invalid, to the operations: no 5xx, and every answer conforms."""
    if find_spec("schemathesis") is None:
        tools.missing("the package schemathesis")
    import schemathesis  # noqa: PLC0415 - it may be missing
    import schemathesis.specs.openapi.checks as conformance  # noqa: PLC0415 - as above
    from hypothesis import HealthCheck, given, settings  # noqa: PLC0415 - beside its use

    app = create_app()
    client = Client(app)
    client.order(cartItems=CART)
    # A session refuses much that is valid JSON, so the check that valid requests succeed is not among them.
    checks = [
        schemathesis.checks.not_a_server_error,
        conformance.status_code_conformance,
        conformance.content_type_conformance,
        conformance.response_headers_conformance,
        conformance.response_schema_conformance,
    ]
    schema = schemathesis.openapi.from_asgi("/sandbox/openapi.json", app)
    for found in schema.include(
        path_regex="^/v2/|/sandbox/(clock|faults|sessions?|requests?|evaluation)$"
    ).get_all_operations():
        operation: Any = found.ok()

        @given(case=operation.as_strategy())
        @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
        def check(case: Any) -> None:
            headers = {"Authorization": "ApiKey-v1 x"} if case.path.startswith("/v2") else {}
            case.call_and_validate(headers=headers, checks=checks)

        check()
