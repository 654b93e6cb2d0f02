"""The endpoints, with the URLs and bodies of Talon.One's Integration API, and the error responses."""

import logging
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.views import View

from session_fsm import Decision, InvalidValue, SessionFSMError, SessionUpdate, wire
from session_fsm.diagrams import Format, render
from session_fsm.errors import http_status, to_error_response
from shop.models import APPLICATION_ID, StoredEvent, find, keep, put, save_events
from shop.sessions import ShopSession

__all__ = ["Diagram", "Reopening", "Returns", "Session", "bad_request", "error_response", "not_found", "server_error"]

_log = logging.getLogger(__name__)


class UnknownSession(Exception):
    """There is no such session."""


def error_response(error: SessionFSMError, session_id: str) -> JsonResponse:
    """Return an error in Talon.One's format, with status 400, 409, or 500 if this service is at fault.

    The cause of a 500 is logged, not returned: the text of an exception may contain a password.
    """
    status = http_status(error)
    if status >= 500:
        _log.error("session %r: %s", session_id, type(error).__name__, exc_info=error)
    return JsonResponse(to_error_response(error), status=status)


class SessionView(View):
    """The base of all endpoints: returns errors in Talon.One's format."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Return the response to *request*, also after an error."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except SessionFSMError as error:
            return error_response(error, kwargs["session_id"])
        except UnknownSession as error:
            return _error(f'There is no session "{error}"', 404)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return status 405 in Talon.One's format."""
        empty: Any = super().http_method_not_allowed(request, *args, **kwargs)
        return HttpResponseNotAllowed(
            empty["Allow"].split(", "),
            content=_error("Method Not Allowed", 405).content,
            content_type="application/json",
        )


class Session(SessionView):
    """``/v2/customer_sessions/{id}``."""

    def get(self, _: HttpRequest, session_id: str) -> HttpResponse:
        """Return the session."""
        return _session_response(_get_or_404(session_id))

    def put(self, request: HttpRequest, session_id: str) -> HttpResponse:
        """Create, update, close or cancel the session, or return the result of a dry run."""
        change = wire.loads(request.body, SessionUpdate)
        return _update_response(_dry_run(session_id, change) if _is_dry(request) else put(session_id, change))


class Returns(SessionView):
    """``/v2/customer_sessions/{id}/returns``."""

    def post(self, request: HttpRequest, session_id: str) -> HttpResponse:
        """Return units, or return the result of a dry run."""
        returned, dry = wire.loads(request.body, wire.ReturnRequest), _is_dry(request)
        with transaction.atomic():
            session = _get_or_404(session_id, lock=not dry)
            if dry:
                return _update_response(_session_after(session.evaluate("return_items", returned)))
            session.return_items(returned)
            save_events(keep(session))
        return _update_response(session)


class Reopening(SessionView):
    """``/v2/customer_sessions/{id}/reopen``."""

    def put(self, _: HttpRequest, session_id: str) -> HttpResponse:
        """Reopen the session."""
        with transaction.atomic():
            session = _get_or_404(session_id, lock=True)
            session.reopen()
            save_events(keep(session))
        return JsonResponse({"effects": []})


class Diagram(SessionView):
    """``/v2/customer_sessions/{id}/diagram.svg`` and ``diagram.html``."""

    def get(self, _: HttpRequest, session_id: str, kind: str) -> HttpResponse:
        """Render the current state, the history, and the allowed triggers."""
        session = _get_or_404(session_id)
        history = [row.event for row in StoredEvent.objects.filter(integration_id=session_id)]
        media_types = {"svg": "image/svg+xml", "html": "text/html; charset=utf-8"}
        return HttpResponse(
            render(format=Format(kind), session=session, events=history), content_type=media_types[kind]
        )


def _get_or_404(session_id: str, *, lock: bool = False) -> ShopSession:
    session = find(session_id, lock=lock)
    if session is None:
        raise UnknownSession(session_id)
    return session


def _is_dry(request: HttpRequest) -> bool:
    given = request.GET.get("dry", "false")
    if given not in ("true", "false"):
        raise InvalidValue("/dry", f'"{given:.40}" is neither true nor false')
    return given == "true"


def _dry_run(session_id: str, change: SessionUpdate) -> ShopSession:
    """Return the session after a dry run of an update. As at Talon.One, a close considers only the request."""
    session = find(session_id)
    if session is None:
        return ShopSession.create(session_id, change, id=0, application_id=APPLICATION_ID)
    return _session_after(session.evaluate("put", change, payload_only=True))


def _session_after(decision: Decision[ShopSession]) -> ShopSession:
    """Return the session after the transition, or raise the refusal."""
    if decision.after is None:
        raise decision.refusal()
    return decision.after


def _session_response(session: ShopSession) -> HttpResponse:
    """Return the session as JSON. `JsonResponse` would write its amounts as strings."""
    return HttpResponse(b'{"customerSession":' + wire.dumps(session) + b"}", content_type="application/json")


def _update_response(session: ShopSession) -> HttpResponse:
    """Return the response to an update or a return, with the members that Talon.One's clients require."""
    body = b'{"customerSession":%s,"effects":[],"createdCoupons":[],"createdReferrals":[]}' % wire.dumps(session)
    return HttpResponse(body, content_type="application/json")


# --- Errors of Django, in the same format ---------------------------------------------------------------


def _error(message: str, status: int) -> HttpResponse:
    return JsonResponse({"message": message, "errors": []}, status=status)


def bad_request(_: HttpRequest, exception: Exception) -> HttpResponse:
    """Return status 400 for a request that Django refuses, such as one that is too large."""
    return _error(str(exception) or "Bad Request", 400)


def not_found(_: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django passes it by name
    """Return status 404 for an unknown URL."""
    return _error("Not Found", 404)


def server_error(_: HttpRequest) -> HttpResponse:
    """Return status 500 for an unexpected error, which Django logs."""
    return _error("Internal Server Error", 500)
