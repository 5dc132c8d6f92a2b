"""Where an order stands in plain words, from the same facts that its workflow shows to support."""

from datetime import datetime

from api.schemas.orders import SituationView
from commerce.contracts.statuses import (
    FulfilmentState,
    OrderState,
    PaymentState,
    PaymentStatus,
    RefundStatus,
    ShipmentStatus,
)
from commerce.domain.orders import OrderView, Shipment

_RETURNED = {PaymentState.NONE, PaymentState.FAILED, PaymentState.REFUNDED}


def is_final(view: OrderView) -> bool:
    """Nothing more is expected to happen by itself: goods have arrived, or all is undone."""
    if any(refund.status in {RefundStatus.REQUESTED, RefundStatus.PENDING} for refund in view.refunds):
        return False
    order = view.order
    if order.order_state is OrderState.CANCELLED:
        return _money_is_back(view)
    return order.order_state is OrderState.COMPLETED or order.fulfilment_state is FulfilmentState.DELIVERED


def describe(view: OrderView) -> SituationView:
    doing, waiting_for, then = _words(view)
    return SituationView(doing=doing, waiting_for=waiting_for, since=_since(view), next=then)


def _words(view: OrderView) -> tuple[str, str | None, str]:
    order = view.order
    if order.order_state is OrderState.CANCELLED:
        return _cancelled_words(view)
    if order.order_state is OrderState.PENDING:
        return _pending_words(view)
    if order.fulfilment_state is FulfilmentState.DELIVERED:
        return "Delivered", None, "Returns are possible until the returns window ends."
    if order.fulfilment_state is FulfilmentState.LOST:
        return "The parcel is lost", "the shop", "The shop sends it again or gives the money back."
    return _parcel_words(_parcels(view))


def _cancelled_words(view: OrderView) -> tuple[str, str | None, str]:
    order = view.order
    if order.placed_at is None:
        reason = (order.cancel_reason or "cancelled").replace("_", " ")
        return f"Not placed: {reason}", None, "Nothing was taken; the cart is open for another try."
    if not _money_is_back(view):
        return "Cancelled", "the payment provider", "The money goes back."
    return "Cancelled; goods and money are back", None, "Nothing more."


def _pending_words(view: OrderView) -> tuple[str, str | None, str]:
    if any(payment.status is PaymentStatus.REQUIRES_ACTION for payment in view.payments):
        return (
            "Waiting for the shopper to confirm the payment at the bank",
            "the payment provider",
            "Placed once confirmed; else stock and money go back.",
        )
    return "Checking out", None, "Stock is held, then the payment is authorised, then the order is placed."


def _parcel_words(parcels: list[Shipment]) -> tuple[str, str | None, str]:
    status = min((parcel.status for parcel in parcels), key=_RANK.index, default=ShipmentStatus.ALLOCATED)
    match status:
        case ShipmentStatus.HANDED_OVER | ShipmentStatus.OUT_FOR_DELIVERY:
            return "On its way", "the carrier", "Delivery."
        case ShipmentStatus.LABELLED:
            return "Packed and labelled", "the carrier", "The parcel is handed over."
        case ShipmentStatus.RETURNING:
            return "The parcel is coming back", "the carrier", "The shop decides what happens then."
        case _:
            return "Packing", None, "A label is bought and the parcel handed over."


_RANK = list(ShipmentStatus)


def _parcels(view: OrderView) -> list[Shipment]:
    return [parcel for parcel in view.shipments if parcel.status is not ShipmentStatus.CANCELLED]


def _money_is_back(view: OrderView) -> bool:
    if view.order.payment_state in _RETURNED:
        return True
    return all(
        payment.status in {PaymentStatus.VOIDED, PaymentStatus.DECLINED} and not payment.captured
        for payment in view.payments
    )


def _since(view: OrderView) -> datetime:
    order = view.order
    moments = [order.created_at, order.placed_at, order.delivered_at]
    moments += [payment.updated_at for payment in view.payments]
    moments += [shipment.updated_at for shipment in view.shipments]
    moments += [refund.updated_at for refund in view.refunds]
    return max(moment for moment in moments if moment is not None)
