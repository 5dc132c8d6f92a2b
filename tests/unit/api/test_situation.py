"""Plain words and the end of a stream, for every state that an order can show."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.situation import describe, is_final
from commerce.contracts.statuses import (
    FulfilmentState,
    OrderState,
    OrderStatus,
    PaymentState,
    PaymentStatus,
    RefundStatus,
    ReturnState,
    ShipmentStatus,
)
from commerce.domain.orders import Address, Order, OrderView, Payment, Refund, Shipment, Totals

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDER = Order(
    id="ord_1",
    number="CC-1",
    payment_id="pay_1",
    cart_id="cart_1",
    customer_id="ada",
    guest_key=None,
    email="ada@example.org",
    shipping_address=Address("Ada", "1 Road", "London", "SW1", "GB"),
    billing_address=None,
    shipping_method="standard",
    totals=Totals("GBP", 510, 0, 0, 85, 510),
    provider="stripe",
    order_state=OrderState.CONFIRMED,
    payment_state=PaymentState.CAPTURED,
    fulfilment_state=FulfilmentState.UNFULFILLED,
    return_state=ReturnState.NONE,
    status=OrderStatus.PROCESSING,
    livemode=False,
    reservation_id=None,
    locale="en",
    cancel_reason=None,
    needs_attention=None,
    created_at=NOW,
    placed_at=NOW,
    delivered_at=None,
    version=1,
)
PAYMENT = Payment(
    id="pay_1",
    order_id="ord_1",
    provider="stripe",
    token=None,
    status=PaymentStatus.CAPTURED,
    currency="GBP",
    amount=510,
    authorised=510,
    captured=510,
    refunded=0,
    provider_ref="pi_1",
    action=None,
    decline_code=None,
    capture_before=None,
    livemode=False,
    created_at=NOW,
    updated_at=NOW + timedelta(minutes=1),
)
REFUND = Refund("rfd_1", "ord_1", "pay_1", 10, "GBP", "", RefundStatus.PENDING, None, None, [], NOW, NOW)


def parcel(status: ShipmentStatus) -> Shipment:
    return Shipment("shp_1", "ord_1", status, "easypost", None, None, None, None, [], None, None, NOW, NOW)


def view(
    *parcels: Shipment, payment: Payment = PAYMENT, refunds: list[Refund] | None = None, **order: object
) -> OrderView:
    return OrderView(replace(ORDER, **order), [], [payment], list(parcels), refunds or [])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "doing"),
    [
        (ShipmentStatus.ALLOCATED, "Packing"),
        (ShipmentStatus.LABELLED, "Packed and labelled"),
        (ShipmentStatus.HANDED_OVER, "On its way"),
        (ShipmentStatus.OUT_FOR_DELIVERY, "On its way"),
        (ShipmentStatus.RETURNING, "The parcel is coming back"),
    ],
)
def test_a_placed_order_follows_its_parcel(status: ShipmentStatus, doing: str) -> None:
    assert describe(view(parcel(status))).doing == doing
    assert not is_final(view(parcel(status)))


def test_a_cancelled_parcel_says_nothing() -> None:
    shown = view(parcel(ShipmentStatus.CANCELLED), parcel(ShipmentStatus.LABELLED))
    assert describe(shown).doing == "Packed and labelled"


def test_delivered_is_final_unless_a_refund_is_on_its_way() -> None:
    delivered = {"fulfilment_state": FulfilmentState.DELIVERED}
    assert is_final(view(**delivered))
    assert describe(view(**delivered)).doing == "Delivered"
    assert not is_final(view(refunds=[REFUND], **delivered))


def test_cancelled_is_final_once_the_money_is_back() -> None:
    cancelled = {"order_state": OrderState.CANCELLED}
    waiting = view(**cancelled)
    assert (describe(waiting).waiting_for, is_final(waiting)) == ("the payment provider", False)
    back = view(**cancelled, payment_state=PaymentState.REFUNDED)
    assert (describe(back).doing, is_final(back)) == ("Cancelled; goods and money are back", True)
    voided = view(
        **cancelled,
        payment_state=PaymentState.AUTHORISED,
        payment=replace(PAYMENT, status=PaymentStatus.VOIDED, captured=0),
    )
    assert is_final(voided)


def test_a_refusal_says_why_and_that_the_cart_is_open() -> None:
    refused = view(
        order_state=OrderState.CANCELLED,
        payment_state=PaymentState.FAILED,
        placed_at=None,
        cancel_reason="out_of_stock",
    )
    assert describe(refused).doing == "Not placed: out of stock"
    assert is_final(refused)


def test_pending_waits_for_the_bank_or_just_works() -> None:
    pending = {"order_state": OrderState.PENDING, "placed_at": None}
    assert describe(view(**pending)).doing == "Checking out"
    bank = view(**pending, payment=replace(PAYMENT, status=PaymentStatus.REQUIRES_ACTION))
    assert describe(bank).waiting_for == "the payment provider"


def test_since_is_the_newest_change() -> None:
    assert describe(view()).since == NOW + timedelta(minutes=1)
