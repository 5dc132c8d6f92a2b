"""The four axes of an order: which move is legal, and the shopper's word for where they stand."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from commerce.contracts.statuses import (
    FulfilmentState,
    OrderState,
    OrderStatus,
    PaymentState,
    ReturnState,
    ShipmentStatus,
)
from commerce.domain.errors import IllegalMove

S = TypeVar("S", bound=StrEnum)

ORDER_MOVES: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.PENDING: frozenset({OrderState.CONFIRMED, OrderState.CANCELLED}),
    OrderState.CONFIRMED: frozenset({OrderState.CANCELLED, OrderState.COMPLETED}),
    OrderState.CANCELLED: frozenset(),
    OrderState.COMPLETED: frozenset(),
}

PAYMENT_MOVES: Mapping[PaymentState, frozenset[PaymentState]] = {
    PaymentState.NONE: frozenset({PaymentState.AUTHORISED, PaymentState.CAPTURED, PaymentState.FAILED}),
    PaymentState.AUTHORISED: frozenset(
        {PaymentState.PARTIALLY_CAPTURED, PaymentState.CAPTURED, PaymentState.FAILED, PaymentState.NONE}
    ),
    PaymentState.PARTIALLY_CAPTURED: frozenset(
        {
            PaymentState.CAPTURED,
            PaymentState.PARTIALLY_REFUNDED,
            PaymentState.REFUNDED,
            PaymentState.DISPUTED,
        }
    ),
    PaymentState.CAPTURED: frozenset(
        {PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED, PaymentState.DISPUTED}
    ),
    PaymentState.PARTIALLY_REFUNDED: frozenset(
        {PaymentState.REFUNDED, PaymentState.CAPTURED, PaymentState.DISPUTED}
    ),
    PaymentState.REFUNDED: frozenset(
        {PaymentState.PARTIALLY_REFUNDED, PaymentState.CAPTURED, PaymentState.DISPUTED}
    ),
    PaymentState.FAILED: frozenset({PaymentState.AUTHORISED}),
    PaymentState.DISPUTED: frozenset(
        {PaymentState.CAPTURED, PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED}
    ),
}

"""A refund leads back when a bank returns it days after it had gone through."""

FULFILMENT_MOVES: Mapping[FulfilmentState, frozenset[FulfilmentState]] = {
    FulfilmentState.UNFULFILLED: frozenset(
        {
            FulfilmentState.PARTIAL,
            FulfilmentState.SHIPPED,
            FulfilmentState.DELIVERED,
            FulfilmentState.LOST,
        }
    ),
    FulfilmentState.PARTIAL: frozenset(
        {FulfilmentState.SHIPPED, FulfilmentState.DELIVERED, FulfilmentState.LOST}
    ),
    FulfilmentState.SHIPPED: frozenset({FulfilmentState.DELIVERED, FulfilmentState.LOST}),
    FulfilmentState.LOST: frozenset({FulfilmentState.SHIPPED, FulfilmentState.DELIVERED}),
    FulfilmentState.DELIVERED: frozenset(),
}

RETURN_MOVES: Mapping[ReturnState, frozenset[ReturnState]] = {
    ReturnState.NONE: frozenset({ReturnState.REQUESTED}),
    ReturnState.REQUESTED: frozenset({ReturnState.IN_TRANSIT, ReturnState.RECEIVED, ReturnState.CLOSED}),
    ReturnState.IN_TRANSIT: frozenset({ReturnState.RECEIVED, ReturnState.CLOSED}),
    ReturnState.RECEIVED: frozenset({ReturnState.CLOSED}),
    ReturnState.CLOSED: frozenset({ReturnState.REQUESTED}),
}

SHIPMENT_RANK: Mapping[ShipmentStatus, int] = {
    ShipmentStatus.ALLOCATED: 0,
    ShipmentStatus.LABELLED: 1,
    ShipmentStatus.HANDED_OVER: 2,
    ShipmentStatus.OUT_FOR_DELIVERY: 3,
    ShipmentStatus.LOST: 4,
    ShipmentStatus.RETURNING: 5,
    ShipmentStatus.DELIVERED: 6,
    ShipmentStatus.CANCELLED: 7,
}
"""News of a lower or equal rank changes nothing; a parcel once given up for lost may still be delivered."""

HANDED_OVER_FROM = SHIPMENT_RANK[ShipmentStatus.HANDED_OVER]


def check_move(axis: str, moves: Mapping[S, frozenset[S]], current: S, wanted: S) -> bool:
    """True for a legal move, False for staying put; raises IllegalMove for anything else."""
    if wanted == current:
        return False
    if wanted not in moves[current]:
        raise IllegalMove(axis, current, wanted)
    return True


def shopper_status(order: OrderState, payment: PaymentState, fulfilment: FulfilmentState) -> OrderStatus:
    """The one word that a shopper, the search attribute and the lists show."""
    if order is OrderState.CANCELLED:
        return OrderStatus.CANCELLED
    if payment is PaymentState.REFUNDED:
        return OrderStatus.REFUNDED
    if order is OrderState.PENDING:
        return OrderStatus.PENDING
    if fulfilment is FulfilmentState.DELIVERED:
        return OrderStatus.DELIVERED
    if fulfilment is FulfilmentState.SHIPPED:
        return OrderStatus.SHIPPED
    return OrderStatus.PROCESSING


def is_cancellable(order: OrderState, shipments: list[ShipmentStatus]) -> bool:
    """An order can be cancelled until a parcel of it has been handed over."""
    if order in {OrderState.CANCELLED, OrderState.COMPLETED}:
        return False
    return all(
        status is ShipmentStatus.CANCELLED or SHIPMENT_RANK[status] < HANDED_OVER_FROM for status in shipments
    )
