# ruff: noqa: DJ008 - nobody looks at these rows
"""Models with each kind of field."""

from django.contrib import admin
from django.db import models

from orders.sessions import ShopSession
from session_fsm.django import EventField, SessionField, diagram_image


class Order(models.Model):
    number = models.CharField(max_length=40, unique=True)
    session = SessionField(ShopSession)
    previous = SessionField(ShopSession, null=True, blank=True)


class Editable(models.Model):
    session = SessionField(ShopSession, editable=True)
    previous = SessionField(ShopSession, editable=True, null=True, blank=True)


class Happened(models.Model):
    event = EventField(ShopSession)


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    readonly_fields = ("diagram", "session")

    def diagram(self, order):
        return diagram_image(order.session)
