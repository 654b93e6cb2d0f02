"""The signatures of the verbs of a session, for editors and type checkers.

The verbs themselves take ``**changes``: a subclass adds fields of its own, which no checker can know. To a checker each
verb has the signature of one of the functions below, in which the fields of every session have their types. These
functions have no docstrings, because an editor would show them in place of those of the verbs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, Protocol, TypeAlias, TypeVar

from session_fsm.states import StateLike, TriggerLike
from session_fsm.values import (
    AdditionalCost,
    CartItem,
    ExperimentVariantAllocation,
    ReturnedCartItem,
    SessionUpdate,
    Unset,
)

__all__ = ["Context", "HoldsReturnedItems", "board", "create", "evaluate", "put", "takes", "update"]

P = ParamSpec("P")
O = TypeVar("O")  # noqa: E741 - the owner of the method
R = TypeVar("R")

Context: TypeAlias = "Mapping[str, Any] | None"
"""Who asks and why: JSON values by name."""


if TYPE_CHECKING:
    # For pyright, a field with a converter does not match a protocol.
    from session_fsm.wire.kinds import ReturnRequest as HoldsReturnedItems
else:

    class HoldsReturnedItems(Protocol):
        """An object with the entries of a return, such as `session_fsm.wire.ReturnRequest`."""

        @property
        def returned_cart_items(self) -> Iterable[ReturnedCartItem]:
            """The entries of the return."""
            ...


def takes(
    signature: Callable[P, object],  # noqa: ARG001 - it is for type checkers
) -> Callable[[Callable[Concatenate[O, ...], R]], Callable[Concatenate[O, P], R]]:
    """Give a method the *signature* of another function for type checkers. At run time this does nothing."""

    def same(method: Any) -> Any:
        return method

    return same


def create(
    integration_id: str,
    change: SessionUpdate | None = None,
    /,
    *,
    state: StateLike | None = None,
    id: int | None = None,  # noqa: A002 - the API's own name
    application_id: int | None = None,
    first_session: bool = True,
    now: datetime | None = None,
    context: Context = None,
    profile_id: str | Unset | None = None,
    store_integration_id: str | Unset | None = None,
    evaluable_campaign_ids: Iterable[int] | Unset | None = None,
    coupon_codes: Iterable[str] | Unset | None = None,
    referral_code: str | Unset | None = None,
    loyalty_cards: Iterable[str] | Unset | None = None,
    cart_items: Iterable[CartItem] | Unset | None = None,
    additional_costs: Mapping[str, AdditionalCost] | Unset | None = None,
    identifiers: Iterable[str] | Unset | None = None,
    attributes: Mapping[str, Any] | Unset | None = None,
    experiment_variant_allocations: Iterable[ExperimentVariantAllocation] | Unset | None = None,
    **own: Any,
) -> None: ...


def update(
    change: SessionUpdate | None = None,
    /,
    *,
    state: Unset | None = None,
    now: datetime | None = None,
    context: Context = None,
    profile_id: str | Unset | None = None,
    store_integration_id: str | Unset | None = None,
    evaluable_campaign_ids: Iterable[int] | Unset | None = None,
    coupon_codes: Iterable[str] | Unset | None = None,
    referral_code: str | Unset | None = None,
    loyalty_cards: Iterable[str] | Unset | None = None,
    cart_items: Iterable[CartItem] | Unset | None = None,
    additional_costs: Mapping[str, AdditionalCost] | Unset | None = None,
    identifiers: Iterable[str] | Unset | None = None,
    attributes: Mapping[str, Any] | Unset | None = None,
    experiment_variant_allocations: Iterable[ExperimentVariantAllocation] | Unset | None = None,
    **own: Any,
) -> None: ...


def put(
    change: SessionUpdate | None = None,
    /,
    *,
    state: StateLike | Unset | None = None,
    now: datetime | None = None,
    context: Context = None,
    profile_id: str | Unset | None = None,
    store_integration_id: str | Unset | None = None,
    evaluable_campaign_ids: Iterable[int] | Unset | None = None,
    coupon_codes: Iterable[str] | Unset | None = None,
    referral_code: str | Unset | None = None,
    loyalty_cards: Iterable[str] | Unset | None = None,
    cart_items: Iterable[CartItem] | Unset | None = None,
    additional_costs: Mapping[str, AdditionalCost] | Unset | None = None,
    identifiers: Iterable[str] | Unset | None = None,
    attributes: Mapping[str, Any] | Unset | None = None,
    experiment_variant_allocations: Iterable[ExperimentVariantAllocation] | Unset | None = None,
    **own: Any,
) -> None: ...


def evaluate(
    trigger: TriggerLike | Literal["put"],
    change: SessionUpdate | Iterable[ReturnedCartItem] | HoldsReturnedItems | None = None,
    /,
    *,
    returned_cart_items: Iterable[ReturnedCartItem] | HoldsReturnedItems | None = None,
    payload_only: bool = False,
    state: StateLike | Unset | None = None,
    now: datetime | None = None,
    context: Context = None,
    profile_id: str | Unset | None = None,
    store_integration_id: str | Unset | None = None,
    evaluable_campaign_ids: Iterable[int] | Unset | None = None,
    coupon_codes: Iterable[str] | Unset | None = None,
    referral_code: str | Unset | None = None,
    loyalty_cards: Iterable[str] | Unset | None = None,
    cart_items: Iterable[CartItem] | Unset | None = None,
    additional_costs: Mapping[str, AdditionalCost] | Unset | None = None,
    identifiers: Iterable[str] | Unset | None = None,
    attributes: Mapping[str, Any] | Unset | None = None,
    experiment_variant_allocations: Iterable[ExperimentVariantAllocation] | Unset | None = None,
    **own: Any,
) -> None: ...


def board(
    change: SessionUpdate | None = None,
    /,
    *,
    returned_cart_items: Iterable[ReturnedCartItem] | HoldsReturnedItems | None = None,
    state: StateLike | Unset | None = None,
    now: datetime | None = None,
    context: Context = None,
    profile_id: str | Unset | None = None,
    store_integration_id: str | Unset | None = None,
    evaluable_campaign_ids: Iterable[int] | Unset | None = None,
    coupon_codes: Iterable[str] | Unset | None = None,
    referral_code: str | Unset | None = None,
    loyalty_cards: Iterable[str] | Unset | None = None,
    cart_items: Iterable[CartItem] | Unset | None = None,
    additional_costs: Mapping[str, AdditionalCost] | Unset | None = None,
    identifiers: Iterable[str] | Unset | None = None,
    attributes: Mapping[str, Any] | Unset | None = None,
    experiment_variant_allocations: Iterable[ExperimentVariantAllocation] | Unset | None = None,
    **own: Any,
) -> None: ...
