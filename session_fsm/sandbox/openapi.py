"""The OpenAPI description of what a sandbox serves: the API's operations, and the control API.

It is written from the facts in ``docs/domain.md``, and describes what the sandbox answers, not everything that
Talon.One does. ``/sandbox/openapi.json`` serves it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from session_fsm.sandbox.reading import RESPONSE_CONTENT
from session_fsm.states import EventName, State, Trigger

__all__ = ["description"]

Schema: TypeAlias = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_ID: Schema = {"type": "string", "minLength": 1, "maxLength": 1000}
_INTEGER: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": "number"}
_BOOLEAN: Schema = {"type": "boolean"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_OBJECT: Schema = {"type": "object"}
_TAGS = ("Customer sessions", "Customer profiles", "Sandbox")


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(of: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": of, **more}


def _map(of: Schema) -> Schema:
    return {"type": "object", "additionalProperties": of}


def _enum(values: Sequence[str]) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}


def _object(needed: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    found: Schema = {"type": "object", "properties": {**needed, **(optional or {})}}
    return {**found, "required": list(needed)} if needed else found


_COSTS = _map(_ref("AdditionalCost"))
_ITEM: Mapping[str, Schema] = {
    "name": _TEXT,
    "price": _NUMBER,
    "category": _TEXT,
    "product": _object({"name": _TEXT}),
    "weight": _NUMBER,
    "height": _NUMBER,
    "width": _NUMBER,
    "length": _NUMBER,
    "attributes": _OBJECT,
    "additionalCosts": _COSTS,
}
_CHANGES: Mapping[str, Schema] = {
    "profileId": _TEXT,
    "storeIntegrationId": _ID,
    "evaluableCampaignIds": _list(_INTEGER),
    "couponCodes": _list({"type": "string", "maxLength": 100}),
    "referralCode": {"type": "string", "maxLength": 100},
    "loyaltyCards": _list(_TEXT, maxItems=1),
    "cartItems": _list(_ref("CartItem"), maxItems=1000),
    "experimentVariantAllocations": _list(_object({"experimentID": _INTEGER, "variantID": _INTEGER})),
    "additionalCosts": _COSTS,
    "identifiers": _list(_TEXT, maxItems=5),
    "attributes": _OBJECT,
}
_STORED: Mapping[str, Schema] = {
    "id": _INTEGER,
    "created": _TIME,
    "integrationId": _ID,
    "applicationId": _INTEGER,
    "profileId": _TEXT,
    "state": _enum(list(State)),
    "cartItems": _list(_ref("CartItem")),
    "attributes": _OBJECT,
    "firstSession": _BOOLEAN,
    "total": _NUMBER,
    "cartItemTotal": _NUMBER,
    "additionalCostTotal": _NUMBER,
    "updated": _TIME,
}
_CHANGED: Mapping[str, Schema] = {
    "effects": _list(_ref("Effect")),
    "createdCoupons": _list(_OBJECT),
    "createdReferrals": _list(_OBJECT),
}
_ASKED_FOR: Mapping[str, Schema] = {
    "customerSession": _ref("CustomerSession"),
    "customerProfile": _ref("CustomerProfile"),
    "event": _ref("Event"),
    "coupons": _list(_OBJECT),
    "triggeredCampaigns": _list(_OBJECT),
    "referral": _OBJECT,
    "loyalty": _OBJECT,
    "awardedGiveaways": _list(_OBJECT),
    "ruleFailureReasons": _list(_OBJECT),
    "previousReturns": _list(_ref("Return")),
    "campaignEligibility": _list(_OBJECT),
    "achievements": _list(_OBJECT),
}
_FAULT: Mapping[str, Schema] = {
    "status": {"type": "integer", "minimum": 400, "maximum": 599},
    "message": _TEXT,
    "retryAfter": {"type": "integer", "minimum": 0, "maximum": 86400},
    "delay": {"type": "number", "minimum": 0, "maximum": 3600},
    "drop": _enum(["before", "after"]),
    "cut": _BOOLEAN,
    "times": {"type": "integer", "minimum": 1},
    "every": {"type": "integer", "minimum": 1},
    "sessionId": _TEXT,
    "operation": _enum(["update", "get", "return", "reopen", "profile"]),
}
_VIOLATION = _object({"code": _TEXT, "message": _TEXT}, {"pointer": {"type": ["string", "null"]}})
_NULLABLE: Schema = {"type": ["string", "null"]}


def _schemas() -> dict[str, Schema]:
    returned = _object({}, {"position": _INTEGER, "quantity": _INTEGER, "sku": {"type": "string", "minLength": 1}})
    entity = {"id": _INTEGER, "created": _TIME}
    exchange = {
        "number": _INTEGER,
        "at": _TIME,
        "method": _TEXT,
        "target": _TEXT,
        "operation": _NULLABLE,
        "sessionId": _NULLABLE,
        "dry": _BOOLEAN,
        "repeated": _BOOLEAN,
        "fault": {"oneOf": [_ref("Fault"), {"type": "null"}]},
        "status": {"type": ["integer", "null"]},
        "milliseconds": _NUMBER,
    }
    details = {"headers": _map(_TEXT), "body": _TEXT, "answerHeaders": _map(_TEXT), "answer": _TEXT}
    source = _object({}, {"pointer": _TEXT, "parameter": _TEXT})
    profile = {"integrationId": _TEXT, "attributes": _OBJECT, "accountId": _INTEGER, "closedSessions": _INTEGER}
    check = _object({"code": _TEXT, "text": _TEXT, "outcome": _enum(["passed", "violated", "errored"])})
    return {
        "AdditionalCost": _object({"price": _NUMBER}),
        "CartItem": _object(
            {"sku": {"type": "string", "minLength": 1}, "quantity": {"type": "integer", "minimum": 1}}, _ITEM
        ),
        "Changes": _object({}, {**_CHANGES, "state": _enum(["open", "closed", "cancelled"])}),
        "UpdateRequest": _object({"customerSession": _ref("Changes")}, _content("update")),
        "ReturnRequest": _object({"return": _object({"returnedCartItems": _list(returned)})}, _content("return")),
        "ProfileRequest": _object({}, {"attributes": _OBJECT, **_content("profile")}),
        "CustomerSession": _object(_STORED),
        "CustomerProfile": _object({**entity, **profile, "totalSales": _NUMBER, "lastActivity": _TIME}),
        "Event": _object(
            {
                **entity,
                "applicationId": _INTEGER,
                "type": _enum(list(EventName)),
                "attributes": _OBJECT,
                "effects": _list({}),
            },
            {"sessionId": _TEXT, "profileId": _TEXT},
        ),
        "Effect": _object(
            {
                "campaignId": _INTEGER,
                "rulesetId": _INTEGER,
                "ruleIndex": _INTEGER,
                "ruleName": _TEXT,
                "effectType": _TEXT,
                "props": _OBJECT,
            }
        ),
        "Return": _object(
            {
                **entity,
                "applicationId": _INTEGER,
                "accountId": _INTEGER,
                "returnedCartItems": _list(returned),
                "eventId": _INTEGER,
                "sessionId": _INTEGER,
                "sessionIntegrationId": _TEXT,
            },
            {"profileIntegrationId": _TEXT},
        ),
        "Changed": _object(_CHANGED, _ASKED_FOR),
        "Returned": _object({**_CHANGED, "return": _ref("Return")}, _ASKED_FOR),
        "Found": _object({"customerSession": _ref("CustomerSession"), "effects": _list(_ref("Effect"))}),
        "Reopened": _object({"effects": _list(_ref("Effect"))}),
        "Error": _object(
            {"message": _TEXT},
            {
                "errors": _list(_object({"title": _TEXT, "details": _TEXT, "source": source})),
                "StatusCode": _INTEGER,
            },
        ),
        "Clock": _object({"now": _TIME, "running": _BOOLEAN}),
        "Fault": _object({}, _FAULT),
        "OrderedFault": _object({"number": _INTEGER, "seen": _INTEGER, "done": _INTEGER, "fault": _ref("Fault")}),
        "Decision": _object(
            {
                "trigger": _enum(list(Trigger)),
                "allowed": _BOOLEAN,
                "from": _NULLABLE,
                "to": _NULLABLE,
                "event": _NULLABLE,
                "already": _BOOLEAN,
                "checks": _list(check),
                "violations": _list(_VIOLATION),
            }
        ),
        "Request": _object(exchange),
        "RequestWithBodies": _object({**exchange, **details}),
    }


def _content(operation: str) -> dict[str, Schema]:
    return {"responseContent": _list(_enum(RESPONSE_CONTENT[operation]))}


# --- Paths ------------------------------------------------------------------------------------------------------------


def _parameter(name: str, schema: Schema, text: str, *, place: str = "query", needed: bool = False) -> Schema:
    return {"name": name, "in": place, "required": needed or place == "path", "description": text, "schema": schema}


def _answers(ok: Schema | None, *errors: int, status: int = 200) -> Schema:
    content = {} if ok is None else {"content": {"application/json": {"schema": ok}}}
    error = {"content": {"application/json": {"schema": _ref("Error")}}}
    found: Schema = {str(status): {"description": "Done", **content}}
    return found | {str(code): {"description": _REASONS[code], **error} for code in errors}


_REASONS = {
    400: "The request is wrong, or the session refuses it; each reason is an entry",
    401: "The API key is missing or unknown",
    403: "A page of another site sends it",
    404: "There is no such thing",
    409: "Three updates of it are there already",
    413: "The body has more than 16 MiB",
    415: "The body is not JSON",
}


def _operation(tag: int, name: str, summary: str, answers: Schema, **more: Any) -> Schema:
    secured: Schema = {} if _TAGS[tag] == "Sandbox" else {"security": [{"apiKey": []}]}
    body = more.pop("body", None)
    if body is not None:
        more["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return {"operationId": name, "tags": [_TAGS[tag]], "summary": summary, **more, **secured, "responses": answers}


_SESSION = _parameter("customerSessionId", _ID, "The integration ID, percent-encoded", place="path")
_PROFILE = _parameter("integrationId", _ID, "The integration ID of the profile, percent-encoded", place="path")
_DRY = _parameter("dry", _BOOLEAN, "Judge the request, and change nothing")
_NOW = _parameter("now", _TIME, "With dry=true: judge it at this time, which is in the future")
_RUN = _parameter("runRuleEngine", _BOOLEAN, "Has no effect: the sandbox has no campaigns")
_KEY = _parameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255},
    "The answer is kept for 24 hours",
    place="header",
)
_OF = _parameter("id", _TEXT, "The integration ID of the session", needed=True)
_LIMIT = _parameter("limit", {"type": "integer", "minimum": 0, "maximum": 1000}, "The most to list; 100 without it")
_NUMBERED = {"type": "integer", "minimum": 0, "maximum": 1_000_000_000}


def _api_paths() -> dict[str, Any]:
    session, common = "/v2/customer_sessions/{customerSessionId}", (400, 401, 413, 415)
    return {
        session: {
            "parameters": [_SESSION],
            "put": _operation(
                0,
                "updateCustomerSession",
                "Update a session, or create it",
                _answers(_ref("Changed"), *common, 409),
                parameters=[_DRY, _NOW, _KEY],
                body=_ref("UpdateRequest"),
            ),
            "get": _operation(0, "getCustomerSession", "Return a session", _answers(_ref("Found"), 400, 401, 404)),
        },
        f"{session}/returns": {
            "parameters": [_SESSION],
            "post": _operation(
                0,
                "returnCartItems",
                "Take items of an order back",
                _answers(_ref("Returned"), *common, 404),
                parameters=[_DRY, _RUN, _KEY],
                body=_ref("ReturnRequest"),
            ),
        },
        f"{session}/reopen": {
            "parameters": [_SESSION],
            "put": _operation(
                0,
                "reopenCustomerSession",
                "Turn an order into a cart again",
                _answers(_ref("Reopened"), 400, 401, 404),
                parameters=[_KEY],
            ),
        },
        "/v2/customer_profiles/{integrationId}": {
            "parameters": [_PROFILE],
            "put": _operation(
                1,
                "updateCustomerProfile",
                "Update a customer profile, or create it",
                _answers(_ref("Changed"), *common, 409),
                parameters=[_DRY, _RUN],
                body=_ref("ProfileRequest"),
            ),
        },
    }


def _control_paths() -> dict[str, Any]:
    clock = _object({}, {"now": _TIME, "advance": _NUMBER, "running": _BOOLEAN})
    about = {
        "class": _TEXT,
        "applicationId": _INTEGER,
        "apiKey": _TEXT,
        "rules": _list(_object({"code": _TEXT, "text": _TEXT})),
        "sessions": _INTEGER,
        "requests": _INTEGER,
        "clock": _ref("Clock"),
        "faults": _list(_ref("OrderedFault")),
    }
    summary = {
        "id": _ID,
        "state": _enum(list(State)),
        "profileId": _TEXT,
        "total": _NUMBER,
        "items": _INTEGER,
        "created": _TIME,
        "updated": _TIME,
        "updateCount": _INTEGER,
    }
    whole = {
        "session": _OBJECT,
        "returnedItemTotal": _NUMBER,
        "remainingItemTotal": _NUMBER,
        "board": _map(_ref("Decision")),
        "history": _list(_OBJECT),
    }
    evaluation = _object({"trigger": _enum([one for one in Trigger if one is not Trigger.CREATE])}, {"body": _OBJECT})
    faults = _object({"faults": _list(_ref("OrderedFault"))})
    requests = _object({"requests": _list(_ref("Request")), "total": _INTEGER})
    sessions = _object({"sessions": _list(_object(summary)), "total": _INTEGER})
    number = _parameter("number", _NUMBERED, "The number of the request", needed=True)
    fault_number = _parameter("number", _NUMBERED, "The number of a fault; all of them without it")
    detail = _parameter("detail", _enum(["full", "simple"]), "Everything, or only states and triggers")
    of_session = _parameter("session", _TEXT, "Only the requests of this session")

    def one(name: str, summary: str, answers: Schema, **more: Any) -> Schema:
        return _operation(2, name, summary, answers, **more)

    def text(media: str, *errors: int) -> Schema:
        found = _answers(None, *errors)
        found["200"]["content"] = {media: {"schema": _TEXT}}
        return found

    return {
        "/sandbox/": {"get": one("about", "What the sandbox is made with, and how it is", _answers(_object(about)))},
        "/sandbox/openapi.json": {"get": one("openapi", "This description", _answers(_OBJECT))},
        "/sandbox/sessions": {
            "get": one("listSessions", "The sessions, newest first", _answers(sessions, 400), parameters=[_LIMIT])
        },
        "/sandbox/session": {
            "get": one(
                "showSession",
                "A session, its board and its history",
                _answers(_object(whole), 400, 404),
                parameters=[_OF],
            )
        },
        "/sandbox/picture": {
            "get": one(
                "drawSession",
                "The state diagram of a session",
                text("image/svg+xml", 400, 404),
                parameters=[_OF, detail],
            )
        },
        "/sandbox/evaluation": {
            "post": one(
                "evaluateTrigger",
                "Judge a trigger without calling it, with the outcome of every rule",
                _answers(_ref("Decision"), 400, 403, 404, 413, 415),
                parameters=[_OF],
                body=evaluation,
            )
        },
        "/sandbox/requests": {
            "get": one(
                "listRequests",
                "The requests to the API, newest first",
                _answers(requests, 400),
                parameters=[_LIMIT, of_session],
            )
        },
        "/sandbox/request": {
            "get": one(
                "showRequest",
                "A request and its answer, as sent",
                _answers(_ref("RequestWithBodies"), 400, 404),
                parameters=[number],
            )
        },
        "/sandbox/recording": {
            "get": one("record", "The requests as a recording for session-fsm replay", text("application/x-ndjson"))
        },
        "/sandbox/clock": {
            "get": one("readClock", "The time of the sandbox", _answers(_ref("Clock"))),
            "put": one(
                "changeClock",
                "Set the clock, advance it by seconds, let it run or stand",
                _answers(_ref("Clock"), 400, 403, 413, 415),
                body=clock,
            ),
        },
        "/sandbox/faults": {
            "get": one("listFaults", "The faults that are still to happen", _answers(faults)),
            "post": one(
                "orderFault",
                "Order a fault",
                _answers(_ref("OrderedFault"), 400, 403, 413, 415, status=201),
                body=_ref("Fault"),
            ),
            "delete": one(
                "deleteFaults", "Delete faults", _answers(None, 400, 403, 404, status=204), parameters=[fault_number]
            ),
        },
        "/sandbox/reset": {"post": one("reset", "Delete everything; the clock stays", _answers(None, 403, status=204))},
        "/sandbox/events": {
            "get": one("watch", "Server-sent events: requests, clock, faults and reset", text("text/event-stream"))
        },
    }


@cache
def description() -> dict[str, Any]:
    """Return the description."""
    key = {"type": "apiKey", "in": "header", "name": "Authorization", "description": "ApiKey-v1 and any key"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "session-fsm sandbox",
            "version": "1",
            "description": "A local server of Talon.One's customer-session operations, for tests. Not made by Talon.One.",
        },
        "tags": [{"name": name} for name in _TAGS],
        "paths": {**_api_paths(), **_control_paths()},
        "components": {"schemas": _schemas(), "securitySchemes": {"apiKey": key}},
    }
