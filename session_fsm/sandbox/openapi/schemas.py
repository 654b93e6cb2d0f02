"""The schemas in the description of a sandbox: what requests and answers hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from session_fsm.sandbox.reading import RESPONSE_CONTENT
from session_fsm.states import EventName, State, Trigger

__all__ = [
    "BOOLEAN",
    "ID",
    "INTEGER",
    "NUMBER",
    "OBJECT",
    "TEXT",
    "TIME",
    "Schema",
    "enum_of",
    "list_of",
    "map_of",
    "object_of",
    "ref",
    "schemas",
]

Schema: TypeAlias = dict[str, Any]

TEXT: Schema = {"type": "string"}
ID: Schema = {"type": "string", "minLength": 1, "maxLength": 1000}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
OBJECT: Schema = {"type": "object"}


def ref(name: str) -> Schema:
    """Return the reference to the schema *name*."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(of: Schema, **more: Any) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": of, **more}


def map_of(of: Schema) -> Schema:
    """Return the schema of an object with any names."""
    return {"type": "object", "additionalProperties": of}


def enum_of(values: Sequence[str]) -> Schema:
    """Return the schema of one of these texts."""
    return {"type": "string", "enum": [str(value) for value in values]}


def object_of(needed: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of an object with these members."""
    found: Schema = {"type": "object", "properties": {**needed, **(optional or {})}}
    return {**found, "required": list(needed)} if needed else found


_COSTS = map_of(ref("AdditionalCost"))
_ITEM: Mapping[str, Schema] = {
    "name": TEXT,
    "price": NUMBER,
    "category": TEXT,
    "product": object_of({"name": TEXT}),
    "weight": NUMBER,
    "height": NUMBER,
    "width": NUMBER,
    "length": NUMBER,
    "attributes": OBJECT,
    "additionalCosts": _COSTS,
}
_CHANGES: Mapping[str, Schema] = {
    "profileId": TEXT,
    "storeIntegrationId": ID,
    "evaluableCampaignIds": list_of(INTEGER),
    "couponCodes": list_of({"type": "string", "maxLength": 100}),
    "referralCode": {"type": "string", "maxLength": 100},
    "loyaltyCards": list_of(TEXT, maxItems=1),
    "cartItems": list_of(ref("CartItem"), maxItems=1000),
    "experimentVariantAllocations": list_of(object_of({"experimentID": INTEGER, "variantID": INTEGER})),
    "additionalCosts": _COSTS,
    "identifiers": list_of(TEXT, maxItems=5),
    "attributes": OBJECT,
}
_STORED: Mapping[str, Schema] = {
    "id": INTEGER,
    "created": TIME,
    "integrationId": ID,
    "applicationId": INTEGER,
    "profileId": TEXT,
    "state": enum_of(list(State)),
    "cartItems": list_of(ref("CartItem")),
    "attributes": OBJECT,
    "firstSession": BOOLEAN,
    "total": NUMBER,
    "cartItemTotal": NUMBER,
    "additionalCostTotal": NUMBER,
    "updated": TIME,
}
CHANGED: Mapping[str, Schema] = {
    "effects": list_of(ref("Effect")),
    "createdCoupons": list_of(OBJECT),
    "createdReferrals": list_of(OBJECT),
}
_ASKED_FOR: Mapping[str, Schema] = {
    "customerSession": ref("CustomerSession"),
    "customerProfile": ref("CustomerProfile"),
    "event": ref("Event"),
    "coupons": list_of(OBJECT),
    "triggeredCampaigns": list_of(OBJECT),
    "referral": OBJECT,
    "loyalty": OBJECT,
    "awardedGiveaways": list_of(OBJECT),
    "ruleFailureReasons": list_of(OBJECT),
    "previousReturns": list_of(ref("Return")),
    "campaignEligibility": list_of(OBJECT),
    "achievements": list_of(OBJECT),
}
FAULT: Mapping[str, Schema] = {
    "status": {"type": "integer", "minimum": 400, "maximum": 599},
    "message": TEXT,
    "retryAfter": {"type": "integer", "minimum": 0, "maximum": 86400},
    "delay": {"type": "number", "minimum": 0, "maximum": 3600},
    "drop": enum_of(["before", "after"]),
    "cut": BOOLEAN,
    "times": {"type": "integer", "minimum": 1},
    "every": {"type": "integer", "minimum": 1},
    "sessionId": TEXT,
    "operation": enum_of(["update", "get", "return", "reopen", "profile"]),
}
_VIOLATION = object_of({"code": TEXT, "message": TEXT}, {"pointer": {"type": ["string", "null"]}})
_NULLABLE: Schema = {"type": ["string", "null"]}


def schemas() -> dict[str, Schema]:
    """Return the schemas that the paths refer to, by name."""
    returned = object_of({}, {"position": INTEGER, "quantity": INTEGER, "sku": {"type": "string", "minLength": 1}})
    entity = {"id": INTEGER, "created": TIME}
    exchange = {
        "number": INTEGER,
        "at": TIME,
        "method": TEXT,
        "target": TEXT,
        "operation": _NULLABLE,
        "sessionId": _NULLABLE,
        "dry": BOOLEAN,
        "repeated": BOOLEAN,
        "fault": {"oneOf": [ref("Fault"), {"type": "null"}]},
        "status": {"type": ["integer", "null"]},
        "milliseconds": NUMBER,
    }
    details = {"headers": map_of(TEXT), "body": TEXT, "answerHeaders": map_of(TEXT), "answer": TEXT}
    source = object_of({}, {"pointer": TEXT, "parameter": TEXT})
    profile = {"integrationId": TEXT, "attributes": OBJECT, "accountId": INTEGER, "closedSessions": INTEGER}
    check = object_of({"code": TEXT, "text": TEXT, "outcome": enum_of(["passed", "violated", "errored"])})
    return {
        "AdditionalCost": object_of({"price": NUMBER}),
        "CartItem": object_of(
            {"sku": {"type": "string", "minLength": 1}, "quantity": {"type": "integer", "minimum": 1}}, _ITEM
        ),
        "Changes": object_of({}, {**_CHANGES, "state": enum_of(["open", "closed", "cancelled"])}),
        "UpdateRequest": object_of({"customerSession": ref("Changes")}, content_of("update")),
        "ReturnRequest": object_of(
            {"return": object_of({"returnedCartItems": list_of(returned)})}, content_of("return")
        ),
        "ProfileRequest": object_of({}, {"attributes": OBJECT, **content_of("profile")}),
        "CustomerSession": object_of(_STORED),
        "CustomerProfile": object_of({**entity, **profile, "totalSales": NUMBER, "lastActivity": TIME}),
        "Event": object_of(
            {
                **entity,
                "applicationId": INTEGER,
                "type": enum_of(list(EventName)),
                "attributes": OBJECT,
                "effects": list_of({}),
            },
            {"sessionId": TEXT, "profileId": TEXT},
        ),
        "Effect": object_of(
            {
                "campaignId": INTEGER,
                "rulesetId": INTEGER,
                "ruleIndex": INTEGER,
                "ruleName": TEXT,
                "effectType": TEXT,
                "props": OBJECT,
            }
        ),
        "Return": object_of(
            {
                **entity,
                "applicationId": INTEGER,
                "accountId": INTEGER,
                "returnedCartItems": list_of(returned),
                "eventId": INTEGER,
                "sessionId": INTEGER,
                "sessionIntegrationId": TEXT,
            },
            {"profileIntegrationId": TEXT},
        ),
        "Changed": object_of(CHANGED, _ASKED_FOR),
        "Returned": object_of({**CHANGED, "return": ref("Return")}, _ASKED_FOR),
        "Found": object_of({"customerSession": ref("CustomerSession"), "effects": list_of(ref("Effect"))}),
        "Reopened": object_of({"effects": list_of(ref("Effect"))}),
        "Error": object_of(
            {"message": TEXT},
            {
                "errors": list_of(object_of({"title": TEXT, "details": TEXT, "source": source})),
                "StatusCode": INTEGER,
            },
        ),
        "Clock": object_of({"now": TIME, "running": BOOLEAN}),
        "Fault": object_of({}, FAULT),
        "OrderedFault": object_of({"number": INTEGER, "seen": INTEGER, "done": INTEGER, "fault": ref("Fault")}),
        "Decision": object_of(
            {
                "trigger": enum_of(list(Trigger)),
                "allowed": BOOLEAN,
                "from": _NULLABLE,
                "to": _NULLABLE,
                "event": _NULLABLE,
                "already": BOOLEAN,
                "checks": list_of(check),
                "violations": list_of(_VIOLATION),
            }
        ),
        "Request": object_of(exchange),
        "RequestWithBodies": object_of({**exchange, **details}),
    }


def content_of(operation: str) -> dict[str, Schema]:
    """Return the member ``responseContent`` of a request."""
    return {"responseContent": list_of(enum_of(RESPONSE_CONTENT[operation]))}
