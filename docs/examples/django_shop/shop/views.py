"""The endpoints, with the URLs and bodies of Talon.One's Integration API.

`SessionErrorMiddleware` returns the errors of sessions, and the functions at the end those of Django.
"""

from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import Resolver404
from django.views import View

from session_fsm import Decision, InvalidValue, SessionUpdate, wire
from session_fsm.diagrams import Format, render
from session_fsm.django import ExactJsonResponse
from shop.models import APPLICATION_ID, StoredEvent, find, keep, put, save_events
from shop.sessions import ShopSession

__all__ = ["Diagram", "Reopening", "Returns", "Session", "bad_request", "not_found", "server_error"]


class SessionView(View):
    """The base of all endpoints."""

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
        return ExactJsonResponse({"customerSession": _get_or_404(session_id)})

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
        return ExactJsonResponse({"effects": []})


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
        raise Http404(f'There is no session "{session_id}"')
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


def _update_response(session: ShopSession) -> HttpResponse:
    """Return the response to an update or a return, with the members that Talon.One's clients require."""
    return ExactJsonResponse({"customerSession": session, "effects": [], "createdCoupons": [], "createdReferrals": []})


# --- Errors of Django, in the same format ---------------------------------------------------------------


def _error(message: str, status: int) -> HttpResponse:
    return ExactJsonResponse({"message": message, "errors": []}, status=status)


def bad_request(_: HttpRequest, exception: Exception) -> HttpResponse:
    """Return status 400 for a request that Django refuses, such as one that is too large."""
    return _error(str(exception) or "Bad Request", 400)


def not_found(_: HttpRequest, exception: Exception) -> HttpResponse:
    """Return status 404 for an unknown URL or session."""
    return _error("Not Found" if isinstance(exception, Resolver404) else str(exception), 404)


def server_error(_: HttpRequest) -> HttpResponse:
    """Return status 500 for an unexpected error, which Django logs."""
    return _error("Internal Server Error", 500)
