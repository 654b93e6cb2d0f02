"""Sessions in Django: model fields, responses with exact amounts, error responses, and a picture for the admin.

`SessionField` and `EventField` store sessions and events as their JSON text. `ExactJsonResponse` is a response with
exact amounts. `SessionErrorMiddleware` answers the errors of this library in Talon.One's format. `diagram_image` draws
a session. It is the extra ``django``; no app has to be installed.
"""

# Django has no types, and pyright guesses them from its code.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportMissingParameterType=false
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false, reportUntypedBaseClass=false

from __future__ import annotations

import logging
from abc import abstractmethod
from base64 import b64encode
from collections.abc import Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if find_spec("django") is None:
    raise ModuleNotFoundError('session_fsm.django needs django; run: pip install "session-fsm[django]"', name="django")

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from session_fsm import wire
from session_fsm.decisions import Decision
from session_fsm.diagrams import Detail, render
from session_fsm.errors import (
    InvalidValue,
    Problem,
    SessionFSMError,
    Violation,
    WireError,
    counted,
    http_status,
    joined,
    to_error_response,
)
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.validators import is_list, is_object, kind_of
from session_fsm.wire.encoding import encode_value
from session_fsm.wire.kinds import KINDS

__all__ = [
    "ColumnUnreadable",
    "DocumentFormField",
    "EventField",
    "ExactJsonResponse",
    "SessionErrorMiddleware",
    "SessionField",
    "diagram_image",
    "error_response",
]

S = TypeVar("S", bound=CustomerSession)

_log = logging.getLogger(__name__)
_MOST_MESSAGES = 20
"""The largest number of messages in a `ValidationError`."""


# --- Model fields ----------------------------------------------------------------------------------------------------


class ColumnUnreadable(SessionFSMError):
    """The document in a column cannot be read as the class of its field; the status is 500."""

    def __init__(self, column: str, problems: Iterable[Problem]) -> None:
        self.column = column
        """The app, the model and the field."""
        self.problems = tuple(problems)
        """The problems of the document. Their texts may hold values of the document; the message shows none."""
        super().__init__(column, self.problems)

    def __str__(self) -> str:
        places = joined((problem.pointer or "the whole" for problem in self.problems), ", ")
        return (
            f"{self.column}: the stored document cannot be read: {counted(len(self.problems), 'problem')}, at {places}"
        )


class _DocumentField(models.TextField):  # type: ignore[misc]  # Django has no types
    """Stores objects of one class as JSON in a text column."""

    # The default of a new row is None, not "".
    empty_strings_allowed = False
    # A migration to another class changes no column.
    non_db_attrs = (*models.TextField.non_db_attrs, "kind")

    def __init__(self, kind: type[CustomerSession], **options: Any) -> None:
        given: Any = kind
        if not (isinstance(given, type) and issubclass(given, CustomerSession)):
            raise InvalidValue("/kind", f"{kind_of(given)} is not a class of sessions")
        self.kind = kind
        super().__init__(**{"editable": False} | options)

    @property
    @abstractmethod
    def held(self) -> type:
        """The class of the stored objects."""
        ...

    @abstractmethod
    def loads(self, text: str | bytes) -> Any:
        """Read a document."""
        ...

    def deconstruct(self) -> Any:
        """Return the arguments of the field for migrations."""
        name, path, args, options = super().deconstruct()
        return name, path, args, options | {"kind": self.kind, "editable": self.editable}

    def from_db_value(self, value: str | None, *_: object) -> Any:
        """Return the object for the text in the column.

        Raises:
            ColumnUnreadable: it is not a document of the class.
        """
        try:
            return None if value is None else self.loads(value)
        except WireError as error:
            raise ColumnUnreadable(str(self), error.problems) from None

    def to_python(self, value: Any) -> Any:
        """Return the object for a value of a fixture, a form or ``full_clean()``: an object, or its JSON.

        Raises:
            ValidationError: with a message, and a pointer in its ``params``, for each problem.
        """
        if value is None or type(value) is self.held:
            return value
        if not isinstance(value, str | bytes):
            raise ValidationError(f"{kind_of(value)} is not a {self.held.__name__}.", code="invalid")
        try:
            return self.loads(value)
        except WireError as error:
            raise ValidationError(
                [
                    # Django formats a message that has params; the text of a problem may hold a percent sign.
                    ValidationError("%(problem)s", code="invalid", params={"problem": str(one), "pointer": one.pointer})
                    for one in error.problems[:_MOST_MESSAGES]
                ]
            ) from None

    def get_prep_value(self, value: Any) -> str | None:
        """Return the text for the column."""
        held = self.to_python(value)
        return None if held is None else wire.dumps(held).decode()

    def value_to_string(self, obj: models.Model) -> str | None:
        """Return the text for a fixture."""
        return self.get_prep_value(self.value_from_object(obj))

    def formfield(self, **options: Any) -> Any:
        """Return the form field of an editable field."""
        return models.Field.formfield(self, **{"form_class": DocumentFormField, "document": self, **options})


class SessionField(_DocumentField, Generic[S]):
    """Stores a session as JSON in a text column, so that amounts stay exact.

    In a model, ``session = SessionField(ShopSession)``. The attribute of a row holds the session, or None in a new row.
    It accepts a session of exactly this class, or its JSON. A session of a subclass is refused, because the fields that
    the subclass adds would be lost when the row is read. Reading runs no rules.

    The field is not editable, because a form bypasses the verbs and the rules. With ``editable=True`` forms show and
    read the JSON.

    Args:
        kind: the class of the sessions. Migrations import it by its name.
        options: the other options of a ``TextField``, as keywords.

    Raises:
        InvalidValue: *kind* is not a class of sessions.
    """

    if TYPE_CHECKING:
        # Without these, the plugin of django-stubs takes the session for the text of a `TextField`.
        _pyi_private_set_type: Any
        _pyi_private_get_type: Any

        def __init__(self, kind: type[S], **options: Any) -> None: ...
        def __get__(self, instance: object, owner: Any = None) -> S: ...
        def __set__(self, instance: object, value: S | str | bytes | None) -> None: ...

    @property
    def held(self) -> type[CustomerSession]:
        """The class of the sessions."""
        return self.kind

    def loads(self, text: str | bytes) -> Any:
        """Read a document. Override it in a subclass to convert old documents.

        Raises:
            WireError: with every problem of the document.
        """
        return wire.loads(text, self.kind, most_bytes=None)


class EventField(_DocumentField):
    """Stores a `SessionEvent` as JSON in a text column.

    The field is not editable, and otherwise as `SessionField`.

    Args:
        kind: the class of the session, by whose types the event's own fields are read.
        options: the other options of a ``TextField``, as keywords.

    Raises:
        InvalidValue: *kind* is not a class of sessions.
    """

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any = None) -> SessionEvent: ...
        def __set__(self, instance: object, value: SessionEvent | str | bytes | None) -> None: ...

    @property
    def held(self) -> type[SessionEvent]:
        """The class of the events."""
        return SessionEvent

    def loads(self, text: str | bytes) -> SessionEvent:
        """Read a document. Override it in a subclass to convert old documents.

        Raises:
            WireError: with every problem of the document.
        """
        return wire.loads(text, SessionEvent, most_bytes=None, session_class=self.kind)


class DocumentFormField(forms.CharField):  # type: ignore[misc]  # Django has no types
    """The form field of an editable `SessionField` or `EventField`: shows the object as JSON, and reads JSON."""

    widget = forms.Textarea

    def __init__(self, *, document: _DocumentField, **options: Any) -> None:
        self.document = document
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        """Return the JSON to show; Django would show the repr."""
        return wire.dumps(value, indent=2).decode() if isinstance(value, self.document.held) else value

    def to_python(self, value: Any) -> Any:
        """Return the object of the submitted JSON; None if it is empty."""
        return None if value in self.empty_values else self.document.to_python(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the submitted object differs from the shown one."""
        try:
            sent = self.to_python(data)
        except ValidationError:
            return True
        return not self.disabled and self.document.get_prep_value(sent) != self.document.get_prep_value(initial)


# --- Responses -------------------------------------------------------------------------------------------------------


class ExactJsonResponse(HttpResponse):  # type: ignore[misc]  # Django has no types
    """A JSON response in which every amount is an exact number; ``JsonResponse`` writes amounts as text.

    >>> from session_fsm import CartItem, CustomerSession
    >>> session = CustomerSession.create("order-1042", cart_items=[CartItem(sku="PEN", quantity=3, price="0.10")])
    >>> response = ExactJsonResponse({"customerSession": session, "effects": []})

    Args:
        data: a session, event, decision or other object that `session_fsm.wire` writes, or a JSON value that holds such.
            It may hold decimals.
        options: ``status``, ``headers`` and the other options of ``HttpResponse``.

    Raises:
        InvalidValue: *data* holds what JSON cannot hold.
    """

    def __init__(self, data: Any, **options: Any) -> None:
        super().__init__(content=encode_value(_document(data)), **{"content_type": "application/json"} | options)


def _document(value: Any) -> Any:
    """Return a JSON value without objects of this library."""
    if isinstance(value, (*KINDS, Decision, Violation)):
        return wire.unstructure(value)
    if is_object(value):
        return {name: _document(member) for name, member in value.items()}
    return [*map(_document, value)] if is_list(value) else value


def error_response(error: SessionFSMError) -> ExactJsonResponse:
    """Return *error* in Talon.One's format, with its `http_status`.

    An error from status 500 on is logged with its traceback, and the ID of the session where it is known. The response
    says nothing of the cause: the text of an exception may contain a password.
    """
    status = http_status(error)
    if status >= 500:
        session_id = getattr(error, "session_id", "")  # of a refusal, and of an error of the store
        _log.error(
            "%s: %s", f"session {session_id!r}" if session_id else "a session", type(error).__name__, exc_info=error
        )
    return ExactJsonResponse(to_error_response(error), status=status)


class SessionErrorMiddleware(MiddlewareMixin):  # type: ignore[misc]  # Django has no types
    """Answers an error of this library that a view raises with its `error_response`.

    Add ``"session_fsm.django.SessionErrorMiddleware"`` to ``MIDDLEWARE``. A transaction that the error leaves is rolled
    back first, also with ``ATOMIC_REQUESTS``.
    """

    def process_exception(self, _: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the response, or None for another exception."""
        return error_response(exception) if isinstance(exception, SessionFSMError) else None


# --- Admin -----------------------------------------------------------------------------------------------------------


def diagram_image(
    session: CustomerSession | None, *, events: Iterable[SessionEvent] = (), detail: Detail = "full"
) -> SafeString:
    """Return an ``<img>`` with the state diagram of *session*, for the admin and for templates; empty for None.

    A browser runs no script in the picture of an ``<img>``, and loads nothing for it. With a Content-Security-Policy,
    ``img-src`` must allow ``data:``.

    Args:
        session: the session whose state and allowed triggers are marked.
        events: its history, oldest first.
        detail: ``"full"``, or ``"simple"`` for only states and triggers.
    """
    if session is None:
        return SafeString("")
    picture = render(format="svg", session=session, events=events, detail=detail)
    return SafeString(
        format_html(
            '<img src="data:image/svg+xml;base64,{}" alt="{}" style="max-width: 100%; height: auto">',
            b64encode(picture.encode()).decode(),
            repr(session),
        )
    )
