"""The rules that a service switches on for its own Application."""

from decimal import Decimal
from typing import Any

import pytest
from builders import LATER, session_in, snapshot

from session_fsm import AdditionalCost, CartItem, CustomerSession, InvalidValue, Rule, RuleViolated, State, Violation
from session_fsm.rules import (
    AttributeType,
    additional_costs_are_declared,
    attributes_are_declared,
    attributes_have_declared_types,
    coupon_code_required,
    identifier_required,
    prices_are_known,
    referral_code_required,
)


def shop_with(*rules: Rule) -> type[CustomerSession]:
    """Make a session class with these rules beside those of the API."""
    return type("ShopSession", (CustomerSession,), {"rules": (*CustomerSession.rules, *rules)})


def violations_of(cls: type[CustomerSession], **content: Any) -> tuple[Violation, ...]:
    """Return what the class finds wrong with *content*: the same when it is created, updated and closed with it."""
    with pytest.raises(RuleViolated) as creation:
        cls.create("order-1042", **content)
    open_session = cls.create("order-1042")
    before = snapshot(open_session)
    with pytest.raises(RuleViolated) as update:
        open_session.update(**content)
    with pytest.raises(RuleViolated) as closing:
        open_session.close(**content)
    assert snapshot(open_session) == before
    assert creation.value.violations == update.value.violations == closing.value.violations
    return creation.value.violations


def accepted(cls: type[CustomerSession], **content: Any) -> bool:
    """Say whether the class lets a session be created, updated and closed with *content*."""
    cls.create("order-1042", **content)
    session = cls.create("order-1042")
    session.update(**content)
    session.close(**content)
    return session.state is State.CLOSED


CODES_BY_CLOSING = [
    (coupon_code_required, "coupon_code_required", "coupon_codes", ["XMAS"], [], "coupon code"),
    (referral_code_required, "referral_code_required", "referral_code", "FRIEND", "", "referral code"),
    (identifier_required, "identifier_required", "identifiers", ["hash"], [], "identifier"),
]


@pytest.mark.parametrize(("rule", "code", "field", "value", "empty", "words"), CODES_BY_CLOSING)
class TestCodesByClosing:
    """O-01, O-02, O-03: the session holds a coupon code, a referral code, an identifier by the time it closes."""

    def test_closing_without_it_is_refused(
        self, rule: Rule, code: str, field: str, value: Any, empty: Any, words: str
    ) -> None:
        session = shop_with(rule).create("order-1042")
        before = snapshot(session)
        with pytest.raises(RuleViolated) as refusal:
            session.close(now=LATER)
        assert snapshot(session) == before
        (violation,) = refusal.value.violations
        assert violation.code == code
        assert words in violation.message
        assert "by the time it closes" in violation.message

    def test_creating_it_as_closed_without_it_is_refused(
        self, rule: Rule, code: str, field: str, value: Any, empty: Any, words: str
    ) -> None:
        with pytest.raises(RuleViolated) as refusal:
            shop_with(rule).create("order-1042", state="closed")
        assert [v.code for v in refusal.value.violations] == [code]

    def test_an_open_session_does_without_it(
        self, rule: Rule, code: str, field: str, value: Any, empty: Any, words: str
    ) -> None:
        session = shop_with(rule).create("order-1042", state="open")
        session.update(profile_id="customer-7")
        session.cancel()
        assert session.state is State.CANCELLED

    def test_what_the_session_already_holds_is_enough(
        self, rule: Rule, code: str, field: str, value: Any, empty: Any, words: str
    ) -> None:
        session = shop_with(rule).create("order-1042", **{field: value})
        session.close()
        assert session.state is State.CLOSED

    def test_what_the_closing_brings_is_enough(
        self, rule: Rule, code: str, field: str, value: Any, empty: Any, words: str
    ) -> None:
        session = shop_with(rule).create("order-1042")
        session.close(**{field: value})
        created = shop_with(rule).create("order-1042", state="closed", **{field: value})
        assert session.state is created.state is State.CLOSED

    def test_what_the_closing_discards_is_missing(
        self, rule: Rule, code: str, field: str, value: Any, empty: Any, words: str
    ) -> None:
        session = shop_with(rule).create("order-1042", **{field: value})
        with pytest.raises(RuleViolated):
            session.close(**{field: empty})
        assert session.state is State.OPEN

    def test_an_empty_text_is_none(self, rule: Rule, code: str, field: str, value: Any, empty: Any, words: str) -> None:
        nothing = "" if field == "referral_code" else [""]
        with pytest.raises(RuleViolated):
            shop_with(rule).create("order-1042", state="closed", **{field: nothing})


class TestDeclaredAttributes:
    """O-04: every attribute of the session and of its items is declared in the Application."""

    cls = shop_with(attributes_are_declared(session=["ShippingCity"], cart_item=["colour"]))

    def test_declared_ones_are_accepted(self) -> None:
        item = CartItem(sku="A", quantity=1, attributes={"colour": "red"})
        assert accepted(self.cls, attributes={"ShippingCity": "Berlin"}, cart_items=[item])

    def test_every_undeclared_one_is_reported_with_its_place(self) -> None:
        items = [
            CartItem(sku="A", quantity=1, attributes={"colour": "red"}),
            CartItem(sku="B", quantity=1, attributes={"ShippingCity": "Berlin"}),
        ]
        found = violations_of(self.cls, attributes={"ShippingCity": "Berlin", "colour": "red"}, cart_items=items)
        assert [(v.code, v.message, v.details, v.pointer) for v in found] == [
            (
                "attribute_not_declared",
                'The attribute "colour" is not defined on CustomerSession entities.',
                {"attribute": "colour", "entity": "CustomerSession"},
                "/attributes/colour",
            ),
            (
                "attribute_not_declared",
                'The attribute "ShippingCity" is not defined on CartItem entities.',
                {"attribute": "ShippingCity", "entity": "CartItem"},
                "/cartItems/1/attributes/ShippingCity",
            ),
        ]

    def test_without_a_declaration_nothing_is_declared(self) -> None:
        (violation,) = violations_of(shop_with(attributes_are_declared()), attributes={"a": 1})
        assert violation.pointer == "/attributes/a"

    def test_an_attribute_that_is_removed_is_not_judged(self) -> None:
        session = self.cls.create("order-1042")
        session.update(attributes={"unknown": None})
        assert session.attributes == {}


TYPES = [
    # declared type, values that have it, values that have not
    ("string", ["", "text", "1"], [1, True, ["a"], {"a": 1}]),
    ("number", [0, -1, "Decimal"], ["1", True, [1]]),
    ("boolean", [True, False], [0, 1, "true"]),
    (
        "time",
        ["2026-03-01T09:00:00Z", "2026-03-01t09:00:00.123456789+02:00", "2024-02-29T00:00:00-11:30"],
        ["2026-03-01", "2026-03-01 09:00:00Z", "2026-03-01T09:00:00", "2026-02-30T09:00:00Z", "yesterday", 1772355600],
    ),
    (
        "location",
        [[52.5, 13], "52.5,13.4", "-1,0", {"lat": 1, "lon": 2}],
        ["52.5", "a,b", "1,2,3", "", [1], [1, 2, 3], ["1", "2"], [True, 1], {"lat": 1}, 5],
    ),
    ("(list string)", [[], ["a", "b"]], ["a", [1], ["a", 1], [["a"]]]),
    ("(list number)", [[], [1, 2]], [1, ["1"], [True]]),
    ("(list time)", [["2026-03-01T09:00:00Z"]], ["2026-03-01T09:00:00Z", ["now"]]),
    ("(list location)", [[[1, 2], "3,4"]], [[1, 2], ["x"]]),
]


def _exact(value: Any) -> Any:
    """Write the numbers of a case as the library takes them: floats as decimals."""
    if value == "Decimal":
        return Decimal("9.999")
    if isinstance(value, list):
        return [_exact(element) for element in value]
    return Decimal(str(value)) if isinstance(value, float) else value


GOOD = [(kind, _exact(value)) for kind, good, _ in TYPES for value in good]
BAD = [(kind, _exact(value)) for kind, _, bad in TYPES for value in bad]


class TestDeclaredTypes:
    """O-05: the value of every declared attribute has the declared type."""

    @pytest.mark.parametrize(("kind", "value"), GOOD)
    def test_a_value_of_the_type_is_accepted(self, kind: str, value: Any) -> None:
        cls = shop_with(attributes_have_declared_types(session={"a": kind}, cart_item={"a": AttributeType(kind)}))
        item = CartItem(sku="A", quantity=1, attributes={"a": value})
        assert accepted(cls, attributes={"a": value}, cart_items=[item])

    @pytest.mark.parametrize(("kind", "value"), BAD)
    def test_a_value_of_another_type_is_refused(self, kind: str, value: Any) -> None:
        cls = shop_with(attributes_have_declared_types(session={"a": kind}, cart_item={"a": kind}))
        item = CartItem(sku="A", quantity=1, attributes={"a": value})
        found = violations_of(cls, attributes={"a": value}, cart_items=[item])
        assert [v.code for v in found] == ["attribute_wrong_type"] * 2
        assert [v.pointer for v in found] == ["/attributes/a", "/cartItems/0/attributes/a"]
        assert all(v.details == {"attribute": "a", "type": kind} for v in found)

    def test_the_message_is_the_one_of_the_api(self) -> None:
        cls = shop_with(attributes_have_declared_types(session={"Weight": "number", "Gift": "string"}))
        found = violations_of(cls, attributes={"Weight": "heavy", "Gift": True})
        assert [v.message for v in found] == [
            'Value of "Weight" attribute (heavy) is not a number',
            'Value of "Gift" attribute (true) is not a string',
        ]

    def test_what_is_not_declared_is_not_judged(self) -> None:
        cls = shop_with(attributes_have_declared_types(session={"a": "number"}))
        item = CartItem(sku="A", quantity=1, attributes={"a": "not judged"})
        assert accepted(cls, attributes={"b": "not judged"}, cart_items=[item])

    def test_a_type_that_does_not_exist_cannot_be_declared(self) -> None:
        with pytest.raises(ValueError, match="integer"):
            attributes_have_declared_types(session={"a": "integer"})

    @pytest.mark.parametrize("place", ["session", "cart_item"])
    def test_a_type_that_does_not_exist_is_named_with_its_attribute(self, place: str) -> None:
        with pytest.raises(InvalidValue) as refusal:
            attributes_have_declared_types(**{place: {"a/b": "string", "c": "strin"}})
        assert refusal.value.pointer == f"/{place}/c"
        assert '"strin" is none of: string, number, boolean' in refusal.value.problem


class TestDeclaredCosts:
    """O-06: every additional cost is declared for its place, the session or the item."""

    cls = shop_with(additional_costs_are_declared(session=["shipping"], cart_item=["gift_wrap"]))

    def test_declared_ones_are_accepted_in_their_place(self) -> None:
        item = CartItem(sku="A", quantity=1, additional_costs={"gift_wrap": AdditionalCost(1)})
        assert accepted(self.cls, additional_costs={"shipping": AdditionalCost(5)}, cart_items=[item])

    def test_the_other_place_does_not_count(self) -> None:
        items = [
            CartItem(sku="A", quantity=1),
            CartItem(sku="B", quantity=1, additional_costs={"shipping": AdditionalCost(1)}),
        ]
        found = violations_of(self.cls, additional_costs={"gift_wrap": AdditionalCost(5)}, cart_items=items)
        assert [(v.code, v.message, v.details, v.pointer) for v in found] == [
            (
                "additional_cost_not_declared",
                'The additional cost "gift_wrap" is not declared for sessions.',
                {"additional_cost": "gift_wrap", "place": "sessions"},
                "/additionalCosts/gift_wrap",
            ),
            (
                "additional_cost_not_declared",
                'The additional cost "shipping" is not declared for items.',
                {"additional_cost": "shipping", "place": "items"},
                "/cartItems/1/additionalCosts/shipping",
            ),
        ]

    def test_the_pointer_escapes_the_name(self) -> None:
        (violation,) = violations_of(self.cls, additional_costs={"a/b~c": AdditionalCost(5)})
        assert violation.pointer == "/additionalCosts/a~1b~0c"


class TestKnownPrices:
    """O-07: an item has a price, or its SKU is in the catalog."""

    cls = shop_with(prices_are_known(catalog={"IN-CATALOG"}))

    def test_a_price_of_zero_is_a_price(self) -> None:
        assert accepted(self.cls, cart_items=[CartItem(sku="A", quantity=1, price=0)])

    def test_the_catalog_knows_the_price(self) -> None:
        assert accepted(self.cls, cart_items=[CartItem(sku="IN-CATALOG", quantity=1)])

    def test_an_item_without_price_that_no_catalog_knows_is_refused(self) -> None:
        items = [CartItem(sku="A", quantity=1, price=1), CartItem(sku="B", quantity=1)]
        (violation,) = violations_of(self.cls, cart_items=items)
        assert violation.code == "price_missing"
        assert violation.message == 'The item "B" at position 1 has no price and is in no catalog.'
        assert violation.details == {"position": 1, "sku": "B"}
        assert violation.pointer == "/cartItems/1/price"

    def test_without_a_catalog_every_item_needs_a_price(self) -> None:
        (violation,) = violations_of(shop_with(prices_are_known()), cart_items=[CartItem(sku="IN-CATALOG", quantity=1)])
        assert violation.code == "price_missing"


def test_optional_rules_are_off_unless_switched_on() -> None:
    session = session_in("open", coupon_codes=[], referral_code="", identifiers=[], attributes={"undeclared": 1})
    session.close(cart_items=[CartItem(sku="A", quantity=1, additional_costs={"any": AdditionalCost(1)})])
    assert session.state is State.CLOSED


def test_all_optional_rules_report_together() -> None:
    cls = shop_with(
        coupon_code_required,
        referral_code_required,
        identifier_required,
        attributes_are_declared(),
        attributes_have_declared_types(session={"a": "string"}),
        additional_costs_are_declared(),
        prices_are_known(),
    )
    with pytest.raises(RuleViolated) as refusal:
        cls.create(
            "order-1042",
            state="closed",
            attributes={"a": 1},
            additional_costs={"shipping": AdditionalCost(1)},
            cart_items=[CartItem(sku="A", quantity=1)],
        )
    assert [v.code for v in refusal.value.violations] == [
        "coupon_code_required",
        "referral_code_required",
        "identifier_required",
        "attribute_not_declared",
        "attribute_wrong_type",
        "additional_cost_not_declared",
        "price_missing",
    ]


class TestWhatRulesAreTold:
    """A string in place of a list would be taken for the list of its letters."""

    @pytest.mark.parametrize(
        ("make", "pointer"),
        [
            (lambda: attributes_are_declared(session="City"), "/session"),
            (lambda: attributes_are_declared(cart_item="City"), "/cart_item"),
            (lambda: additional_costs_are_declared(session="shipping"), "/session"),
            (lambda: additional_costs_are_declared(cart_item="shipping"), "/cart_item"),
            (lambda: prices_are_known(catalog="A-1"), "/catalog"),
        ],
    )
    def test_a_string_is_refused(self, make: Any, pointer: str) -> None:
        with pytest.raises(InvalidValue, match="a string is not a list of") as refusal:
            make()
        assert refusal.value.pointer == pointer

    def test_a_type_that_is_no_text_is_named_by_its_kind(self) -> None:
        wrong: Any = {"a": object()}
        with pytest.raises(InvalidValue, match=r"^/session/a: a value of type object is none of: string, number"):
            attributes_have_declared_types(session=wrong)

    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (True, "true"),
            (False, "false"),
            (12, "12"),
            (Decimal("1.50"), "1.50"),
            ([Decimal("1.5"), "a"], "a list"),
            ({"a": Decimal(1)}, "an object"),
            ("x" * 5000, "x" * 100),
        ],
    )
    def test_a_value_is_shown_as_json_has_it_and_never_at_length(self, value: Any, shown: str) -> None:
        cls = shop_with(attributes_have_declared_types(session={"a": "time"}))
        with pytest.raises(RuleViolated) as refusal:
            cls.create("x", attributes={"a": value})
        assert refusal.value.violations[0].message == f'Value of "a" attribute ({shown}) is not a time'
