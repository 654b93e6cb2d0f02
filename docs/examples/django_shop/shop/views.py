"""The endpoints, shaped like those of Talon.One's Integration API, and which error has which status."""

import logging
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.views import View

from session_fsm import Decision, InvalidValue, SessionFSMError, SessionUpdate, wire
from session_fsm.diagrams import Format, render
from session_fsm.errors import http_status, to_error_response
from shop.models import APPLICATION_ID, StoredEvent, find, keep, put, record
from shop.sessions import ShopSession

__all__ = ["Diagram", "Reopening", "Returns", "Session", "answer_to", "bad_request", "not_found", "server_error"]

_log = logging.getLogger(__name__)


class UnknownSession(Exception):
    """There is no such session."""


def answer_to(error: SessionFSMError, session_id: str) -> JsonResponse:
    """Answer an error in Talon.One's envelope: 400, 409, or 500 where this service is at fault.

    What a 500 is about is for the log alone: the text of an exception may hold a password.
    """
    status = http_status(error)
    if status >= 500:
        _log.error("session %r: %s", session_id, type(error).__name__, exc_info=error)
    return JsonResponse(to_error_response(error), status=status)


class SessionView(View):
    """What all endpoints have in common: errors are answered in Talon.One's envelope."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer *request*, whatever happens."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except SessionFSMError as error:
            return answer_to(error, kwargs["session_id"])
        except UnknownSession as error:
            return _problem(f'There is no session "{error}"', 404)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer for a method that this address does not have."""
        empty: Any = super().http_method_not_allowed(request, *args, **kwargs)
        return HttpResponseNotAllowed(
            empty["Allow"].split(", "),
            content=_problem("Method Not Allowed", 405).content,
            content_type="application/json",
        )


class Session(SessionView):
    """``/v2/customer_sessions/{id}``."""

    def get(self, _: HttpRequest, session_id: str) -> HttpResponse:
        """Show the session."""
        return _session(_found(session_id))

    def put(self, request: HttpRequest, session_id: str) -> HttpResponse:
        """Create, update, close or cancel it; or, in a dry run, say what would become of it."""
        change = wire.loads(request.body, SessionUpdate)
        return _answer(_would_be(session_id, change) if _is_dry(request) else put(session_id, change))


class Returns(SessionView):
    """``/v2/customer_sessions/{id}/returns``."""

    def post(self, request: HttpRequest, session_id: str) -> HttpResponse:
        """Take units back; or, in a dry run, say what would become of the session."""
        returned, dry = wire.loads(request.body, wire.ReturnRequest), _is_dry(request)
        with transaction.atomic():
            session = _found(session_id, lock=not dry)
            if dry:
                return _answer(_after(session.evaluate("return_items", returned)))
            session.return_items(returned)
            record(keep(session))
        return _answer(session)


class Reopening(SessionView):
    """``/v2/customer_sessions/{id}/reopen``."""

    def put(self, _: HttpRequest, session_id: str) -> HttpResponse:
        """Turn an order into a cart again."""
        with transaction.atomic():
            session = _found(session_id, lock=True)
            session.reopen()
            record(keep(session))
        return JsonResponse({"effects": []})


class Diagram(SessionView):
    """``/v2/customer_sessions/{id}/diagram.svg``, and the same as a page."""

    def get(self, _: HttpRequest, session_id: str, kind: str) -> HttpResponse:
        """Draw where the session stands, how it came there, and what it may do next."""
        session = _found(session_id)
        history = [row.event for row in StoredEvent.objects.filter(integration_id=session_id)]
        media_types = {"svg": "image/svg+xml", "html": "text/html; charset=utf-8"}
        return HttpResponse(
            render(format=Format(kind), session=session, events=history), content_type=media_types[kind]
        )


def _found(session_id: str, *, lock: bool = False) -> ShopSession:
    session = find(session_id, lock=lock)
    if session is None:
        raise UnknownSession(session_id)
    return session


def _is_dry(request: HttpRequest) -> bool:
    given = request.GET.get("dry", "false")
    if given not in ("true", "false"):
        raise InvalidValue("/dry", f'"{given:.40}" is neither true nor false')
    return given == "true"


def _would_be(session_id: str, change: SessionUpdate) -> ShopSession:
    """Return the session as an update would leave it, judged as Talon.One judges a dry run: a closing by itself."""
    session = find(session_id)
    if session is None:
        return ShopSession.create(session_id, change, id=0, application_id=APPLICATION_ID)
    return _after(session.evaluate("put", change, payload_only=True))


def _after(decision: Decision[ShopSession]) -> ShopSession:
    """Return the session as it would be."""
    if decision.after is None:
        raise decision.refusal()
    return decision.after


def _session(session: ShopSession) -> HttpResponse:
    """Answer with the session. `JsonResponse` would turn its amounts into texts."""
    return HttpResponse(b'{"customerSession":' + wire.dumps(session) + b"}", content_type="application/json")


def _answer(session: ShopSession) -> HttpResponse:
    """Answer an update or a return, with the members that every client of Talon.One's reads."""
    body = b'{"customerSession":%s,"effects":[],"createdCoupons":[],"createdReferrals":[]}' % wire.dumps(session)
    return HttpResponse(body, content_type="application/json")


# --- What Django itself refuses, in the same envelope ---------------------------------------------------------------


def _problem(message: str, status: int) -> HttpResponse:
    return JsonResponse({"message": message, "errors": []}, status=status)


def bad_request(_: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for a request that Django finds suspicious, such as one that is too large."""
    return _problem(str(exception) or "Bad Request", 400)


def not_found(_: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django insists on the name
    """Answer for an address that does not exist."""
    return _problem("Not Found", 404)


def server_error(_: HttpRequest) -> HttpResponse:
    """Answer for an error of our own; the log has it."""
    return _problem("Internal Server Error", 500)
