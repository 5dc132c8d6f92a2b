import itertools

import pytest

from commerce.contracts.statuses import (
    FulfilmentState,
    OrderState,
    OrderStatus,
    PaymentState,
    ReturnState,
    ShipmentStatus,
)
from commerce.domain import states
from commerce.domain.errors import IllegalMove

AXES = [
    (OrderState, states.ORDER_MOVES),
    (PaymentState, states.PAYMENT_MOVES),
    (FulfilmentState, states.FULFILMENT_MOVES),
    (ReturnState, states.RETURN_MOVES),
]


@pytest.mark.parametrize(("axis", "moves"), AXES)
def test_every_state_has_its_row_and_moves_within_the_axis(axis: type, moves: dict[object, object]) -> None:
    assert set(moves) == set(axis)
    for targets in moves.values():
        assert set(targets) <= set(axis)  # type: ignore[call-overload] # the row is a frozenset


def test_a_move_is_legal_staying_put_is_none_and_the_rest_is_refused() -> None:
    check = states.check_move
    assert check("order", states.ORDER_MOVES, OrderState.PENDING, OrderState.CONFIRMED)
    assert not check("order", states.ORDER_MOVES, OrderState.PENDING, OrderState.PENDING)
    with pytest.raises(IllegalMove) as refused:
        check("order", states.ORDER_MOVES, OrderState.CANCELLED, OrderState.CONFIRMED)
    assert (refused.value.axis, refused.value.current, refused.value.wanted) == (
        "order",
        "cancelled",
        "confirmed",
    )


def test_cancelled_and_completed_orders_move_no_more() -> None:
    assert not states.ORDER_MOVES[OrderState.CANCELLED]
    assert not states.ORDER_MOVES[OrderState.COMPLETED]


@pytest.mark.parametrize(
    ("order", "payment", "fulfilment", "word"),
    [
        (OrderState.PENDING, PaymentState.NONE, FulfilmentState.UNFULFILLED, OrderStatus.PENDING),
        (OrderState.CONFIRMED, PaymentState.AUTHORISED, FulfilmentState.UNFULFILLED, OrderStatus.PROCESSING),
        (OrderState.CONFIRMED, PaymentState.CAPTURED, FulfilmentState.PARTIAL, OrderStatus.PROCESSING),
        (OrderState.CONFIRMED, PaymentState.CAPTURED, FulfilmentState.SHIPPED, OrderStatus.SHIPPED),
        (OrderState.CONFIRMED, PaymentState.CAPTURED, FulfilmentState.DELIVERED, OrderStatus.DELIVERED),
        (OrderState.COMPLETED, PaymentState.CAPTURED, FulfilmentState.DELIVERED, OrderStatus.DELIVERED),
        (OrderState.CONFIRMED, PaymentState.REFUNDED, FulfilmentState.DELIVERED, OrderStatus.REFUNDED),
        (OrderState.CANCELLED, PaymentState.REFUNDED, FulfilmentState.UNFULFILLED, OrderStatus.CANCELLED),
        (OrderState.CANCELLED, PaymentState.FAILED, FulfilmentState.UNFULFILLED, OrderStatus.CANCELLED),
    ],
)
def test_the_shoppers_word_follows_from_the_axes(
    order: OrderState, payment: PaymentState, fulfilment: FulfilmentState, word: OrderStatus
) -> None:
    assert states.shopper_status(order, payment, fulfilment) is word


def test_every_combination_of_axes_has_a_word() -> None:
    for axes in itertools.product(OrderState, PaymentState, FulfilmentState):
        assert states.shopper_status(*axes) in OrderStatus


def test_an_order_is_cancellable_until_a_parcel_is_handed_over() -> None:
    assert states.is_cancellable(OrderState.PENDING, [])
    assert states.is_cancellable(OrderState.CONFIRMED, [ShipmentStatus.LABELLED])
    assert not states.is_cancellable(OrderState.CONFIRMED, [ShipmentStatus.HANDED_OVER])
    assert not states.is_cancellable(
        OrderState.CONFIRMED, [ShipmentStatus.LABELLED, ShipmentStatus.DELIVERED]
    )
    assert states.is_cancellable(OrderState.CONFIRMED, [ShipmentStatus.CANCELLED])
    assert not states.is_cancellable(OrderState.CANCELLED, [])


def test_every_shipment_status_has_a_rank_of_its_own() -> None:
    assert set(states.SHIPMENT_RANK) == set(ShipmentStatus)
    assert len(set(states.SHIPMENT_RANK.values())) == len(ShipmentStatus)
