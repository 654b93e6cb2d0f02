"""The URLs. An ID may contain slashes, so the longer URLs come first."""

from django.urls import path, re_path

from shop.views import Diagram, Reopening, Returns, Session

_SESSION = "v2/customer_sessions/<path:session_id>"

urlpatterns = [
    path(_SESSION + "/reopen", Reopening.as_view()),
    path(_SESSION + "/returns", Returns.as_view()),
    re_path(r"^v2/customer_sessions/(?P<session_id>.+)/diagram\.(?P<kind>svg|html)$", Diagram.as_view()),
    path(_SESSION, Session.as_view()),
]
handler400 = "shop.views.bad_request"
handler404 = "shop.views.not_found"
handler500 = "shop.views.server_error"
