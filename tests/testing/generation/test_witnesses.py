"""Tests of `witness`: rows, rule outcomes, reasons for missing witnesses, strategies."""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import EveryRuleSession, TenantSession
from hypothesis import strategies

import session_fsm
from session_fsm import CartItem, CustomerSession, InvalidValue, RuleViolated, SessionUpdate, rule
from session_fsm.recording import Recording, Result, read_request
from session_fsm.testing import NoWitness, Step, Story, Why, Witness, find_witness, witness

OUTCOMES = [(rule.code, outcome) for rule in EveryRuleSession.rules for outcome in ("violated", "passed")]

REOPENS = next(row for row in CustomerSession.machine.table if row.trigger == "reopen")


def with_rules(*rules: Any) -> type[CustomerSession]:
    return type("ShopSession", (CustomerSession,), {"rules": (*CustomerSession.rules, *rules)})


def run(shown: Witness) -> Any:
    """Run the code of a witness as a test would, and return the session."""
    names: dict[str, Any] = {shown.kind.__name__: shown.kind, "pytest": pytest, "RuleViolated": RuleViolated}
    for module in (session_fsm, sys.modules["decimal"], sys.modules["datetime"], sys.modules["session_fsm.values"]):
        names = {name: getattr(module, name) for name in dir(module) if name[0] != "_"} | names
    exec(shown.code(), names)
    return names.get("session")


def replayed(shown: Witness) -> Result:
    """Play the JSON Lines of a witness as `session-fsm replay` does, and return the result of the last line."""
    recording = Recording(shown.kind)
    return [recording.play(read_request(line.encode())) for line in shown.json_lines().splitlines()][-1]


class TestRows:
    @pytest.mark.parametrize("row", CustomerSession.machine.table, ids=lambda row: row.id)
    def test_every_row_has_a_witness_that_fires_it(self, row: Any) -> None:
        shown = witness(CustomerSession, row.id)
        assert (shown.decision.source, shown.step.trigger, shown.decision.target) == (
            row.source,
            row.trigger,
            row.target,
        )
        assert run(shown).state is row.target
        assert witness(CustomerSession, row) == shown
        session = shown.session()
        assert (None if session is None else session.state) is row.source

    def test_the_story_is_the_shortest(self) -> None:
        assert witness(CustomerSession, REOPENS).whole.steps == (
            Step("create", SessionUpdate(state="closed")),
            Step("reopen"),
        )


class TestRules:
    @pytest.mark.parametrize(("code", "outcome"), OUTCOMES)
    def test_every_rule_passes_and_alone_refuses(self, code: str, outcome: str) -> None:
        shown = witness(EveryRuleSession, code, outcome)
        outcomes = {check.rule.code: check.outcome for check in shown.decision.checks}
        assert outcomes.pop(code) == outcome
        assert set(outcomes.values()) <= {"passed"}
        assert bool(shown.decision) is (outcome == "passed")
        run(shown)

    def test_one_item_holds_too_many_units(self) -> None:
        assert witness(CustomerSession, "too_many_units", "violated").step.argument == SessionUpdate(
            cart_items=[CartItem(sku="A", quantity=10_001)]
        )

    def test_a_full_cart_is_written_as_a_product(self) -> None:
        code = witness(CustomerSession, "too_many_cart_items", "violated").code()
        assert 'cart_items=[CartItem(sku="A", quantity=1)] * 1001)' in code

    def test_own_fields_that_are_given_stay_as_they_are(self) -> None:
        shown = witness(TenantSession, "T-05", own={"tenant": "acme", "note": "long"})
        assert shown.whole.own == {"tenant": "acme", "note": "long"}
        assert run(shown).tenant == "acme"

    def test_missing_own_fields_are_reported(self) -> None:
        with pytest.raises(InvalidValue, match=r"/own: TenantSession cannot be created: .*'tenant'"):
            witness(TenantSession, "T-01")


# Rules of an order service, each with the trigger on which it alone refuses.


@rule("minimum_order_missed", on=["close"])
def order_is_worth_at_least_25(after: Any) -> bool:
    """An order is worth 25 at least."""
    return bool(after.total >= 25)


@rule("too_many_per_sku", on=["create", "update", "close"])
def at_most_5_of_a_sku(cart_items: Any) -> bool:
    """At most 5 units of a SKU are sold."""
    return all(sum(i.quantity for i in cart_items if i.sku == item.sku) <= 5 for item in cart_items)


@rule("coupon_prefix", on=["create", "update", "close"])
def coupons_begin_with_shop(coupon_codes: Any) -> bool:
    """Coupon codes are those of this shop."""
    return all(code.startswith("SHOP-") for code in coupon_codes)


@rule("gift_card_returned", on=["return_items"])
def gift_cards_stay_sold(session: Any, change: Any) -> bool:
    """Gift cards are not taken back."""
    skus = [
        e.sku or session.cart_items[e.position].sku for e in change if e.sku or e.position < len(session.cart_items)
    ]
    return "GIFT" not in skus


@rule("cancelled_too_late", on=["cancel"])
def order_is_cancelled_within_14_days(session: Any, now: datetime) -> bool:
    """An order is cancelled within 14 days."""
    return now - session.created <= timedelta(days=14)


@rule("profile_missing", on=["close"])
def profile_is_known(profile_id: str) -> bool:
    """An order has a profile."""
    return bool(profile_id)


@rule("too_many_updates", on=["update"])
def session_is_updated_at_most_twice(session: Any) -> bool:
    """A session is updated twice at most."""
    return bool(session.update_count < 3)


@rule("shipping_missing", on=["create", "update", "close"])
def shipping_has_a_cost(attributes: Any, additional_costs: Any) -> bool:
    """A shipped order has a shipping cost."""
    return "ShippingCity" not in attributes or "shipping" in additional_costs


BLACKLIST = frozenset({"RECALLED-1", "RECALLED-2"})


@rule("sku_blacklisted", on=["create", "update", "close"])
def no_item_is_recalled(cart_items: Any) -> bool:
    """Recalled items are not sold."""
    return all(item.sku not in BLACKLIST for item in cart_items)


USER_RULES = [
    order_is_worth_at_least_25,
    at_most_5_of_a_sku,
    coupons_begin_with_shop,
    gift_cards_stay_sold,
    order_is_cancelled_within_14_days,
    profile_is_known,
    session_is_updated_at_most_twice,
    shipping_has_a_cost,
    no_item_is_recalled,
]


class TestRulesOfAService:
    @pytest.mark.parametrize("outcome", ["violated", "passed"])
    @pytest.mark.parametrize("own_rule", USER_RULES, ids=lambda r: r.code)
    def test_both_outcomes_have_a_witness(self, own_rule: Any, outcome: str) -> None:
        shown = witness(with_rules(own_rule), own_rule, outcome)
        failing = [violation.code for violation in shown.decision.violations]
        assert failing == ([own_rule.code] if outcome == "violated" else [])
        run(shown)
        assert [violation.code for violation in replayed(shown).violations] == failing

    def test_all_rules_together_have_witnesses(self) -> None:
        kind = with_rules(*USER_RULES)
        for own_rule in USER_RULES:
            assert witness(kind, own_rule, "violated").decision.violations[0].code == own_rule.code

    def test_a_rule_that_raises_has_a_witness(self) -> None:
        @rule("division", on=["update"])
        def items_are_shared(cart_items: Any) -> bool:
            """Items are shared among the carts."""
            return 1 / len(cart_items) > 0

        shown = witness(with_rules(items_are_shared), "division", "errored")
        assert shown.step == Step("update")
        assert str(shown) == (
            "update is refused by rule_failed: The rule division could not be judged."
            " division raised ZeroDivisionError: division by zero"
        )


class TestNoWitness:
    def test_shadowed(self) -> None:
        @rule("nothing_sold", on=["create"], target="open")
        def cart_is_empty(cart_items: Any) -> bool:
            """The cart is empty."""
            return not cart_items

        @rule("one_sold", on=["create"], target="open")
        def cart_has_no_second_item(cart_items: Any) -> bool:
            """The cart has one item at most."""
            return len(cart_items) < 2

        kind = with_rules(cart_is_empty, cart_has_no_second_item)
        missing = find_witness(kind, "one_sold", "violated", on="create", budget=40)
        assert isinstance(missing, NoWitness)
        assert (missing.why, missing.by) == (Why.SHADOWED, ("nothing_sold",))
        assert missing.tried == 40
        assert str(missing) == (
            "one_sold violated on create: no witness in 40 stories, shadowed: "
            "wherever it is violated, so refuses too: nothing_sold"
        )

    def test_contradictory(self) -> None:
        @rule("never", on=["cancel"])
        def never() -> bool:
            """Never."""
            return False

        with pytest.raises(NoWitness) as refusal:
            witness(with_rules(never), "T-05", budget=200)
        assert (refusal.value.why, refusal.value.by) == (Why.CONTRADICTORY, ("never",))

    def test_rules_that_exclude_each_other_are_contradictory(self) -> None:
        @rule("few", on=["reopen"])
        def cart_is_empty(cart_items: Any) -> bool:
            """The cart is empty."""
            return not cart_items

        @rule("many", on=["reopen"])
        def cart_is_not_empty(cart_items: Any) -> bool:
            """The cart is not empty."""
            return bool(cart_items)

        missing = find_witness(with_rules(cart_is_empty, cart_is_not_empty), REOPENS, budget=200)
        assert isinstance(missing, NoWitness)
        assert (missing.why, missing.by) == (Why.CONTRADICTORY, ("few", "many"))
        assert "never all together" in missing.text

    def test_an_unreachable_state_is_contradictory(self) -> None:
        @rule("never", on=["close", "create"], target="closed")
        def never() -> bool:
            """Never."""
            return False

        missing = find_witness(with_rules(never), "T-06", budget=200)
        assert isinstance(missing, NoWitness)
        assert (missing.why, missing.by) == (Why.CONTRADICTORY, ("never",))
        assert "no session gets that far" in missing.text

    def test_not_found(self) -> None:
        @rule("always", on=["cancel"])
        def always() -> bool:
            """Always."""
            return True

        missing = find_witness(with_rules(always), "always", "violated", budget=200)
        assert isinstance(missing, NoWitness)
        assert (missing.why, missing.by, missing.text) == (Why.NOT_FOUND, (), "the rule was never violated")

    def test_depth_limits_the_story(self) -> None:
        missing = find_witness(CustomerSession, "T-07", depth=1)
        assert isinstance(missing, NoWitness)
        assert (missing.why, missing.tried) == (Why.NOT_FOUND, 0)


class TestStrategies:
    @rule("secret_code", on=["create"])
    def referral_is_not_the_secret(referral_code: str) -> bool:
        """The referral code is not a certain one."""
        return hash_of(referral_code) != 1821

    def test_values_of_a_strategy_are_tried(self) -> None:
        kind = with_rules(self.referral_is_not_the_secret)
        assert isinstance(find_witness(kind, "secret_code", "violated", budget=300), NoWitness)
        update = SessionUpdate(referral_code="xyzzy")
        for drawn in (update, Step("create", update), Story.of(Step("create", update))):
            shown = witness(kind, "secret_code", "violated", strategy=strategies.just(drawn), budget=300)
            assert hash_of(shown.step.argument.referral_code) == 1821

    def test_a_strategy_of_another_type_is_refused(self) -> None:
        with pytest.raises(InvalidValue, match="/strategy: the strategy drew 1, which is neither"):
            witness(CustomerSession, "T-01", strategy=strategies.just(1))

    def test_without_hypothesis_a_strategy_is_explained(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "hypothesis", None)
        with pytest.raises(session_fsm.SessionFSMError, match=r"install session-fsm\[testing\]"):
            witness(CustomerSession, "T-01", strategy=object())
        assert witness(CustomerSession, "T-01").tried == 1


def hash_of(text: str) -> int:
    return sum(place * ord(letter) for place, letter in enumerate(text, 1))


class TestArguments:
    @pytest.mark.parametrize(
        ("what", "options", "problem"),
        [
            ("T-99", {}, "/what: CustomerSession has no row or rule T-99; it has T-01, "),
            ("T-01", {"outcome": "passed"}, "/outcome: a transition fires or has no witness"),
            ("T-01", {"on": "close"}, "/outcome: a transition fires or has no witness"),
            ("too_many_units", {}, "/outcome: None is none of: "),
            ("too_many_units", {"outcome": "passed", "on": "cancel"}, "/on: the rule too_many_units guards "),
        ],
    )
    def test_invalid_arguments_are_refused(self, what: str, options: dict[str, Any], problem: str) -> None:
        with pytest.raises(InvalidValue) as refusal:
            witness(CustomerSession, what, **options)
        assert str(refusal.value).startswith(problem)

    def test_the_trigger_can_be_chosen(self) -> None:
        shown = witness(CustomerSession, "too_many_units", "violated", on="close")
        assert shown.step.trigger == "close"
        assert str(shown).startswith("close is refused by too_many_units: ")

    def test_a_witness_prints_its_decision(self) -> None:
        assert str(witness(CustomerSession, "T-05")).startswith("cancel is allowed: open -> cancelled")

    def test_code_with_imports_runs_alone(self) -> None:
        code = witness(CustomerSession, "unknown_cart_item", "violated").code(imports=True)
        assert code.startswith(
            "import pytest\n\nfrom session_fsm import CustomerSession, ReturnedCartItem, RuleViolated\n\n"
        )
        exec(code, {})


PRINTS = """
from session_fsm import CustomerSession
from session_fsm.testing import witness
for row in CustomerSession.machine.table:
    print(witness(CustomerSession, row).json_lines())
print(witness(CustomerSession, "sku_position_mismatch", "violated").code())
"""


def test_witnesses_do_not_depend_on_the_hash_seed() -> None:
    command = [sys.executable, "-c", PRINTS]
    texts = {
        subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": seed}, check=True, capture_output=True).stdout
        for seed in "01"
    }
    assert len(texts) == 1
