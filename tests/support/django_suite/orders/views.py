"""Views that raise errors of the library, and others."""

from django.contrib import admin
from django.db import transaction
from django.http import HttpResponse
from django.urls import path

from orders.models import Order
from orders.sessions import ShopSession
from session_fsm import ConcurrentChange, SessionUpdate, wire
from session_fsm.django import ExactJsonResponse


def put(request, number):
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(number=number).first()
        if order is None:
            order = Order(number=number, session=ShopSession.create(number))
            order.save()
        order.session.put(wire.loads(request.body, SessionUpdate))
        order.save()
    return ExactJsonResponse({"customerSession": order.session, "effects": []})


async def put_later(request, number):
    ShopSession.create(number).update(wire.loads(request.body, SessionUpdate))
    return HttpResponse("done")


def meet(request):
    raise ConcurrentChange("order-7")


def fail(request):
    raise LookupError("no error of the library")


urlpatterns = [
    path("admin/", admin.site.urls),
    path("orders/<number>", put),
    path("later/<number>", put_later),
    path("meet", meet),
    path("fail", fail),
]
