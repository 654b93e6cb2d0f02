"""`SessionField` and `EventField`: a row keeps its session after each operation of Django."""

import copy
import json
import pickle
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core import serializers
from django.core.exceptions import FieldError, ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.writer import MigrationWriter
from django.db.models.functions import Cast
from django.forms import modelform_factory
from orders.models import Editable, Happened, Order
from orders.sessions import ShopSession

from session_fsm import CartItem, CustomerSession, InvalidValue, SessionFSMError, SessionUpdate
from session_fsm.django import ColumnUnreadable, EventField, SessionField
from session_fsm.errors import http_status, to_error_response
from session_fsm.wire.text import MOST_BYTES

CHANGED_DOCUMENT = '{"integrationId": "a", "created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z"%s}'


def shop_session(**more):
    item = CartItem(sku="A", quantity=3, price="0.10000000000000000001")
    return ShopSession.create("order-7", coupon_codes=["XMAS"], cart_items=[item], deposit=Decimal("0.30"), **more)


@pytest.fixture
def row():
    return Order.objects.create(number="order-7", session=shop_session())


def column(table="orders_order", name="session"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM {table}")
        ((text,),) = cursor.fetchall()
    return text


def write(text):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_order SET session = %s", [text])


def assert_unchanged():
    held = Order.objects.get().session
    assert type(held) is ShopSession
    assert (held.coupon_codes, str(held.total), str(held.deposit)) == (("XMAS",), "0.30000000000000000003", "0.30")
    assert held.pending_events == []


class TestARow:
    def test_holds_the_json_text_with_every_digit(self, row):
        assert '"total":0.30000000000000000003' in column()
        assert json.loads(column())["integrationId"] == "order-7"
        assert_unchanged()

    def test_may_hold_more_than_a_request(self):
        """`session_fsm.wire.loads` refuses a larger document of somebody else."""
        large = "x" * (MOST_BYTES + 1)
        Order.objects.create(number="order-8", session=shop_session(note=large))
        assert Order.objects.get().session.note == large

    def test_keeps_a_change_of_its_session_when_it_is_saved(self, row):
        row.session.update(coupon_codes=["SPRING"])
        row.save()
        assert Order.objects.get().session.coupon_codes == ("SPRING",)

    def test_has_no_session_before_it_is_given_one(self):
        assert Order().session is None
        with pytest.raises(IntegrityError), transaction.atomic():
            Order.objects.create(number="order-8")

    def test_is_unchanged_after_full_clean_and_save(self, row):
        row.full_clean()
        row.save()
        assert_unchanged()

    @pytest.mark.parametrize("kind", [str, str.encode], ids=["text", "bytes"])
    def test_takes_the_json_of_a_session(self, row, kind):
        row.session = kind(column())
        row.full_clean()
        assert type(row.session) is ShopSession
        row.session = kind(column())
        row.save()
        assert_unchanged()

    def test_is_unchanged_after_bulk_operations(self, row):
        Order.objects.bulk_update([row], ["session"])
        assert_unchanged()
        Order.objects.all().delete()
        Order.objects.bulk_create([row])
        assert_unchanged()
        Order.objects.bulk_create([row], update_conflicts=True, update_fields=["session"], unique_fields=["number"])
        assert_unchanged()

    def test_is_unchanged_after_update_or_create(self, row):
        Order.objects.update_or_create(number="order-7", defaults={"session": row.session})
        assert_unchanged()

    def test_has_another_session_after_refresh(self, row):
        before = row.session
        row.session.update(coupon_codes=["SPRING"])
        row.refresh_from_db()
        assert row.session is not before
        assert row.session.coupon_codes == ("XMAS",)

    def test_may_load_its_session_later(self, row):
        late = Order.objects.defer("session").get()
        assert late.session.coupon_codes == ("XMAS",)
        late.save()
        assert Order.objects.only("session").get().session.coupon_codes == ("XMAS",)
        (held,) = Order.objects.values_list("session", flat=True)
        assert held.coupon_codes == ("XMAS",)
        assert_unchanged()

    @pytest.mark.parametrize("name", ["json", "jsonl", "xml", "python"])
    def test_is_unchanged_after_a_fixture(self, row, name):
        fixture = serializers.serialize(name, Order.objects.all())
        Order.objects.all().delete()
        for loaded in serializers.deserialize(name, fixture):
            loaded.save()
        assert_unchanged()
        assert Order.objects.get().previous is None

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda row: pickle.loads(pickle.dumps(row))])
    def test_is_unchanged_after_a_copy(self, row, copied):
        copied(row).save()
        assert_unchanged()

    def test_keeps_pending_events_in_memory_only(self, row):
        assert len(pickle.loads(pickle.dumps(row)).session.pending_events) == 1
        assert Order.objects.get().session.pending_events == []

    def test_may_have_none_if_the_column_allows_null(self, row):
        row.previous = None
        row.full_clean()
        row.save()
        assert Order.objects.get().previous is None
        assert Order.objects.filter(previous__isnull=True).count() == 1

    def test_is_found_by_its_session(self, row):
        assert Order.objects.filter(session=row.session).count() == 1
        assert Order.objects.filter(session__in=[row.session]).count() == 1
        assert Order.objects.filter(session__contains="XMAS").count() == 1
        assert Order.objects.filter(session=shop_session(profile_id="cust-7")).count() == 0

    def test_is_found_by_a_member_of_the_document(self, row):
        documents = Order.objects.annotate(document=Cast("session", models.JSONField()))
        assert documents.filter(document__integrationId="order-7").count() == 1
        assert documents.filter(document__integrationId="order-8").count() == 0


class TestARefusedValue:
    @pytest.mark.parametrize(
        "value",
        [
            "<ShopSession 'order-7'>",
            "",
            7,
            {},
            CustomerSession.create("order-7"),
            type("Finer", (ShopSession,), {}).create("order-7"),
            SessionUpdate(),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_is_stored_by_no_operation(self, row, value):
        row.session = value
        for save in (
            row.full_clean,
            row.save,
            lambda: Order.objects.update(session=value),
            lambda: Order.objects.bulk_update([row], ["session"]),
            lambda: Order.objects.filter(session=value).count(),
        ):
            with pytest.raises(ValidationError), transaction.atomic():
                save()
        assert_unchanged()

    def test_of_another_class_is_named(self):
        with pytest.raises(ValidationError) as caught:
            Order._meta.get_field("session").to_python(7)
        assert caught.value.messages == ["a number is not a ShopSession."]
        assert caught.value.code == "invalid"

    def test_has_a_message_with_its_pointer_for_each_problem(self):
        """Also where the text of a problem holds a percent sign."""
        document = '{"integrationId": "a", "created": "100%s", "cartItems": [{"sku": "A", "quantity": 0}]}'
        with pytest.raises(ValidationError) as caught:
            Order._meta.get_field("session").to_python(document)
        assert [one.params["pointer"] for one in caught.value.error_list] == [
            "/created",
            "/cartItems/0/quantity",
        ]
        assert caught.value.messages[0].startswith('/created: "100%s" is not a time')
        assert caught.value.messages[1:] == ["/cartItems/0/quantity: 0 is less than 1"]

    def test_has_at_most_20_messages(self):
        codes = json.dumps([1] * 1000)
        with pytest.raises(ValidationError) as caught:
            Order._meta.get_field("session").to_python(CHANGED_DOCUMENT % f', "couponCodes": {codes}')
        assert len(caught.value.messages) == 20


class TestAStoredDocument:
    def test_of_an_older_class_has_the_defaults_of_new_fields(self, row):
        write(CHANGED_DOCUMENT % "")
        held = Order.objects.get().session
        assert (held.deposit, held.note) == (0, "<none>")

    def test_that_cannot_be_read_is_an_error_of_the_service(self, row):
        write(CHANGED_DOCUMENT.replace("2026-01-01T00:00:00Z", "secret-word") % "")
        with pytest.raises(ColumnUnreadable) as caught:
            Order.objects.get()
        error = caught.value
        assert isinstance(error, SessionFSMError)
        assert str(error) == (
            "orders.Order.session: the stored document cannot be read: 2 problems, at /created, /updated"
        )
        assert "secret-word" in error.problems[0].text
        assert http_status(error) == 500
        assert to_error_response(error) == {"message": "Internal Server Error", "errors": []}
        copied = pickle.loads(pickle.dumps(error))
        assert (str(copied), copied.column, copied.problems) == (str(error), error.column, error.problems)

    def test_that_is_not_json_is_an_error_of_the_service(self, row):
        write("<ShopSession>")
        with pytest.raises(ColumnUnreadable, match=r"1 problem, at the whole$"):
            Order.objects.get()
        assert Order.objects.defer("session").get().number == "order-7"

    def test_may_be_converted_by_a_field_of_the_service(self):
        class Renamed(SessionField):
            def loads(self, text):
                return super().loads(text.replace('"remark"', '"note"'))

        document = CHANGED_DOCUMENT % ', "remark": "urgent"'
        assert Renamed(ShopSession).from_db_value(document, None, None).note == "urgent"


class TestAnEvent:
    def test_is_unchanged_and_its_own_fields_have_their_types(self):
        due = datetime(2026, 9, 14, 12, 0, tzinfo=UTC)
        (event,) = shop_session(due=due).take_events()
        Happened.objects.create(event=event)
        held = Happened.objects.get().event
        assert held == event
        assert held.change.own == {"deposit": Decimal("0.30"), "due": due}
        assert '"deposit":0.30' in column("orders_happened", "event")

    def test_is_the_only_value_of_its_field(self):
        with pytest.raises(ValidationError, match="is not a SessionEvent"):
            Happened.objects.create(event=shop_session())
        with pytest.raises(ValidationError, match="/sessionId: is missing"):
            Happened.objects.create(event="{}")


class TestMigrations:
    @pytest.mark.parametrize("model", [Order, Editable, Happened])
    def test_make_the_same_field_again(self, model):
        for field in model._meta.fields[1:]:
            copied = field.clone()
            assert copied.deconstruct()[1:] == field.deconstruct()[1:]
            assert (copied.null, copied.editable) == (field.null, field.editable)

    def test_name_the_field_and_the_class(self):
        text, imports = MigrationWriter.serialize(Order._meta.get_field("session"))
        assert text == "session_fsm.django.SessionField(editable=False, kind=orders.sessions.ShopSession)"
        assert imports == {"import session_fsm.django", "import orders.sessions"}

    def test_change_no_column_for_another_class(self):
        changes = connection.schema_editor()._field_should_be_altered
        old = Order._meta.get_field("session")
        assert [
            changes(old, self.column_of(field))
            for field in (SessionField(CustomerSession), SessionField(ShopSession, null=True))
        ] == [False, True]

    def column_of(self, field):
        field.set_attributes_from_name("session")
        return field

    @pytest.mark.parametrize("kind", [SessionUpdate, "orders.sessions.ShopSession", None])
    def test_no_field_is_made_without_a_class_of_sessions(self, kind):
        for field in (SessionField, EventField):
            with pytest.raises(InvalidValue, match="is not a class of sessions"):
                field(kind)


class TestAForm:
    def test_does_not_have_a_field_that_is_not_editable(self, row):
        form_class = modelform_factory(Order, fields="__all__")
        assert [*form_class.base_fields] == ["number"]
        form_class({"number": "order-7"}, instance=row).save()
        assert_unchanged()
        with pytest.raises(FieldError):
            modelform_factory(Order, fields=["session"])

    def test_shows_json_and_changes_nothing_if_it_is_sent_as_it_is(self):
        form_class = modelform_factory(Editable, fields="__all__")
        held = Editable.objects.create(session=shop_session(note="</textarea><script>"))
        shown = form_class(instance=held)
        assert "&quot;couponCodes&quot;" in shown.as_p()
        assert "<script>" not in shown.as_p()
        sent = {name: shown[name].value() or "" for name in shown.fields}
        form = form_class(sent, instance=held)
        assert form.changed_data == []
        form.save()
        assert Editable.objects.get().previous is None
        assert str(Editable.objects.get().session.deposit) == "0.30"

    def test_reads_changed_json(self):
        form_class = modelform_factory(Editable, fields=["session"])
        held = Editable.objects.create(session=shop_session())
        form = form_class({"session": column("orders_editable").replace("XMAS", "SPRING")}, instance=held)
        assert form.changed_data == ["session"]
        form.save()
        assert Editable.objects.get().session.coupon_codes == ("SPRING",)

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("<ShopSession>", "the document is not JSON"),
            ("{}", "/integrationId: is missing"),
            ("", "This field is required"),
        ],
    )
    def test_reports_every_problem(self, text, problem):
        form = modelform_factory(Editable, fields=["session"])(
            {"session": text}, instance=Editable(session=shop_session())
        )
        assert form.changed_data == ["session"]
        assert problem in str(form.errors)

    def test_ignores_what_is_sent_for_a_disabled_field(self):
        form_class = modelform_factory(Editable, fields=["session"])
        form_class.base_fields["session"].disabled = True
        form = form_class({"session": CHANGED_DOCUMENT % ""}, instance=Editable(session=shop_session()))
        assert form.changed_data == []
        assert form.is_valid(), form.errors
        assert form.save(commit=False).session.coupon_codes == ("XMAS",)
