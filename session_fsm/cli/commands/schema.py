"""``session-fsm schema``: write the JSON Schema of the documents of a session class."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import click

from session_fsm.cli.definition import class_option
from session_fsm.errors import ErrorResponse
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.values import SessionUpdate
from session_fsm.wire import ReturnRequest, json_schema

__all__ = ["KINDS", "command"]

KINDS: Mapping[str, type[Any]] = MappingProxyType(
    {
        "session": CustomerSession,
        "update": SessionUpdate,
        "return": ReturnRequest,
        "event": SessionEvent,
        "error": ErrorResponse,
    }
)
"""The class of each kind of document, by the name that the command takes; of sessions, the default."""


@click.command(
    short_help="Write the JSON Schema of sessions, updates or events.",
    epilog="""\b
Examples:
  session-fsm schema > session.schema.json
  session-fsm schema --kind update
  session-fsm schema --class shop.sessions:ShopSession --written""",
)
@class_option()
@click.option(
    "--kind",
    "document",
    type=click.Choice(list(KINDS)),
    default="session",
    show_default=True,
    help="The kind of document.",
)
@click.option(
    "--written",
    is_flag=True,
    help="Describe documents that the library writes: members that it always writes are required.",
)
def command(*, kind: type[CustomerSession], document: str, written: bool) -> None:
    """Write the JSON Schema (draft 2020-12) of one kind of document.

    The schema of a session, and of the changes in an event, includes the fields that the class adds. Use it to validate
    documents, or to generate types for TypeScript and other languages.

    Exit status: 0 on success, 2 if the class cannot be imported.
    """
    described = kind if document == "session" else KINDS[document]
    schema = json_schema(described, written=written, session_class=kind)
    sys.stdout.write(json.dumps(schema, indent=2) + "\n")
