"""Every rule that guards the transitions: those of the API itself, and those that a service may add.

`BUILT_IN` are the rules of `CustomerSession`. The optional rules let an order service refuse, before the call, what
its Application would refuse or regret. A service adds them to its session class:

>>> from session_fsm import CustomerSession
>>> from session_fsm.rules import coupon_code_required
>>> class ShopSession(CustomerSession):
...     rules = (*CustomerSession.rules, coupon_code_required)

`session_fsm.guards` says how a rule is written.
"""

from session_fsm.guards import Rule, rule
from session_fsm.rules.built_in import (
    BUILT_IN,
    cart_holds_at_most_1000_items,
    new_session_is_open_or_closed,
    position_and_sku_name_the_same_item,
    quantities_add_up_to_at_most_10000,
    return_names_an_item,
    returned_items_are_in_the_cart,
    returned_items_are_named,
    returned_units_do_not_exceed_remaining,
    sku_alone_names_one_item,
)
from session_fsm.rules.optional import (
    AttributeType,
    additional_costs_are_declared,
    attributes_are_declared,
    attributes_have_declared_types,
    coupon_code_required,
    identifier_required,
    prices_are_known,
    referral_code_required,
)

__all__ = [
    "BUILT_IN",
    "AttributeType",
    "Rule",
    "additional_costs_are_declared",
    "attributes_are_declared",
    "attributes_have_declared_types",
    "cart_holds_at_most_1000_items",
    "coupon_code_required",
    "identifier_required",
    "new_session_is_open_or_closed",
    "position_and_sku_name_the_same_item",
    "prices_are_known",
    "quantities_add_up_to_at_most_10000",
    "referral_code_required",
    "return_names_an_item",
    "returned_items_are_in_the_cart",
    "returned_items_are_named",
    "returned_units_do_not_exceed_remaining",
    "rule",
    "sku_alone_names_one_item",
]
