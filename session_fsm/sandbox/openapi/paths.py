"""The operations in the description of a sandbox: those of the API, and those of the control API."""

from __future__ import annotations

from typing import Any

from session_fsm.sandbox.openapi.schemas import (
    BOOLEAN,
    ID,
    INTEGER,
    NUMBER,
    OBJECT,
    TEXT,
    TIME,
    Schema,
    enum_of,
    list_of,
    map_of,
    object_of,
    ref,
)
from session_fsm.states import State, Trigger

__all__ = ["TAGS", "api_paths", "control_paths"]

TAGS = ("Customer sessions", "Customer profiles", "Sandbox")


def _parameter(name: str, schema: Schema, text: str, *, place: str = "query", needed: bool = False) -> Schema:
    return {"name": name, "in": place, "required": needed or place == "path", "description": text, "schema": schema}


def _answers(ok: Schema | None, *errors: int, status: int = 200) -> Schema:
    content = {} if ok is None else {"content": {"application/json": {"schema": ok}}}
    error = {"content": {"application/json": {"schema": ref("Error")}}}
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
    secured: Schema = {} if TAGS[tag] == "Sandbox" else {"security": [{"apiKey": []}]}
    body = more.pop("body", None)
    if body is not None:
        more["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return {"operationId": name, "tags": [TAGS[tag]], "summary": summary, **more, **secured, "responses": answers}


_SESSION = _parameter("customerSessionId", ID, "The integration ID, percent-encoded", place="path")
_PROFILE = _parameter("integrationId", ID, "The integration ID of the profile, percent-encoded", place="path")
_DRY = _parameter("dry", BOOLEAN, "Judge the request, and change nothing")
_NOW = _parameter("now", TIME, "With dry=true: judge it at this time, which is in the future")
_RUN = _parameter("runRuleEngine", BOOLEAN, "Has no effect: the sandbox has no campaigns")
_KEY = _parameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255},
    "The answer is kept for 24 hours",
    place="header",
)
_OF = _parameter("id", TEXT, "The integration ID of the session", needed=True)
_LIMIT = _parameter("limit", {"type": "integer", "minimum": 0, "maximum": 1000}, "The most to list; 100 without it")
_NUMBERED = {"type": "integer", "minimum": 0, "maximum": 1_000_000_000}


def api_paths() -> dict[str, Any]:
    """Return the operations of the API, by path."""
    session, common = "/v2/customer_sessions/{customerSessionId}", (400, 401, 413, 415)
    return {
        session: {
            "parameters": [_SESSION],
            "put": _operation(
                0,
                "updateCustomerSession",
                "Update a session, or create it",
                _answers(ref("Changed"), *common, 409),
                parameters=[_DRY, _NOW, _KEY],
                body=ref("UpdateRequest"),
            ),
            "get": _operation(0, "getCustomerSession", "Return a session", _answers(ref("Found"), 400, 401, 404)),
        },
        f"{session}/returns": {
            "parameters": [_SESSION],
            "post": _operation(
                0,
                "returnCartItems",
                "Take items of an order back",
                _answers(ref("Returned"), *common, 404),
                parameters=[_DRY, _RUN, _KEY],
                body=ref("ReturnRequest"),
            ),
        },
        f"{session}/reopen": {
            "parameters": [_SESSION],
            "put": _operation(
                0,
                "reopenCustomerSession",
                "Turn an order into a cart again",
                _answers(ref("Reopened"), 400, 401, 404),
                parameters=[_KEY],
            ),
        },
        "/v2/customer_profiles/{integrationId}": {
            "parameters": [_PROFILE],
            "put": _operation(
                1,
                "updateCustomerProfile",
                "Update a customer profile, or create it",
                _answers(ref("Changed"), *common, 409),
                parameters=[_DRY, _RUN],
                body=ref("ProfileRequest"),
            ),
        },
    }


def control_paths() -> dict[str, Any]:
    """Return the operations of the control API, by path."""
    clock = object_of({}, {"now": TIME, "advance": NUMBER, "running": BOOLEAN})
    about = {
        "class": TEXT,
        "applicationId": INTEGER,
        "apiKey": TEXT,
        "rules": list_of(object_of({"code": TEXT, "text": TEXT})),
        "sessions": INTEGER,
        "requests": INTEGER,
        "clock": ref("Clock"),
        "faults": list_of(ref("OrderedFault")),
    }
    summary = {
        "id": ID,
        "state": enum_of(list(State)),
        "profileId": TEXT,
        "total": NUMBER,
        "items": INTEGER,
        "created": TIME,
        "updated": TIME,
        "updateCount": INTEGER,
    }
    whole = {
        "session": OBJECT,
        "returnedItemTotal": NUMBER,
        "remainingItemTotal": NUMBER,
        "board": map_of(ref("Decision")),
        "history": list_of(OBJECT),
    }
    evaluation = object_of(
        {"trigger": enum_of([one for one in Trigger if one is not Trigger.CREATE])}, {"body": OBJECT}
    )
    faults = object_of({"faults": list_of(ref("OrderedFault"))})
    requests = object_of({"requests": list_of(ref("Request")), "total": INTEGER})
    sessions = object_of({"sessions": list_of(object_of(summary)), "total": INTEGER})
    number = _parameter("number", _NUMBERED, "The number of the request", needed=True)
    fault_number = _parameter("number", _NUMBERED, "The number of a fault; all of them without it")
    detail = _parameter("detail", enum_of(["full", "simple"]), "Everything, or only states and triggers")
    of_session = _parameter("session", TEXT, "Only the requests of this session")

    def one(name: str, summary: str, answers: Schema, **more: Any) -> Schema:
        return _operation(2, name, summary, answers, **more)

    def text(media: str, *errors: int) -> Schema:
        found = _answers(None, *errors)
        found["200"]["content"] = {media: {"schema": TEXT}}
        return found

    return {
        "/sandbox/": {"get": one("about", "What the sandbox is made with, and how it is", _answers(object_of(about)))},
        "/sandbox/openapi.json": {"get": one("openapi", "This description", _answers(OBJECT))},
        "/sandbox/sessions": {
            "get": one("listSessions", "The sessions, newest first", _answers(sessions, 400), parameters=[_LIMIT])
        },
        "/sandbox/session": {
            "get": one(
                "showSession",
                "A session, its board and its history",
                _answers(object_of(whole), 400, 404),
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
                _answers(ref("Decision"), 400, 403, 404, 413, 415),
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
                _answers(ref("RequestWithBodies"), 400, 404),
                parameters=[number],
            )
        },
        "/sandbox/recording": {
            "get": one("record", "The requests as a recording for session-fsm replay", text("application/x-ndjson"))
        },
        "/sandbox/clock": {
            "get": one("readClock", "The time of the sandbox", _answers(ref("Clock"))),
            "put": one(
                "changeClock",
                "Set the clock, advance it by seconds, let it run or stand",
                _answers(ref("Clock"), 400, 403, 413, 415),
                body=clock,
            ),
        },
        "/sandbox/faults": {
            "get": one("listFaults", "The faults that are still to happen", _answers(faults)),
            "post": one(
                "orderFault",
                "Order a fault",
                _answers(ref("OrderedFault"), 400, 403, 413, 415, status=201),
                body=ref("Fault"),
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
