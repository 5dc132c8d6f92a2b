"""Where each purchase has to end, and where it is: from the order as the gateway shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from api.schemas.orders import OrderView
from commerce.contracts.statuses import OrderStatus, PaymentStatus, RefundStatus
from devstack.demo.plan import Way
from devstack.demo.shoppers import Visit

_LIVE = {PaymentStatus.AUTHORISED, PaymentStatus.REQUIRES_ACTION, PaymentStatus.PROCESSING}
_OPEN = {RefundStatus.REQUESTED, RefundStatus.PENDING}


def unfinished(visit: Visit, order: OrderView | None) -> str | None:
    """What is missing until the purchase is where its way ends, None when it is there."""
    number = visit.purchase.invoice.number
    if order is None:
        return f"{number}: order {visit.order_id} is not to be found"
    if visit.purchase.is_delivered:
        if order.status is OrderStatus.DELIVERED:
            return None
    elif order.status is OrderStatus.CANCELLED and holds_no_money(order):
        return None
    return f"{number}: order {order.number} is {order.status}, {order.situation.doing}"


def holds_no_money(order: OrderView) -> bool:
    """Whatever was taken or held is back."""
    left = sum(payment.captured.amount - payment.refunded.amount for payment in order.payments)
    live = any(payment.status in _LIVE for payment in order.payments)
    return left == 0 and not live and not refunds_open(order)


def refunds_open(order: OrderView) -> bool:
    return any(refund.status in _OPEN for refund in order.refunds)


def is_delivered(order: OrderView | None) -> bool:
    return order is not None and order.status is OrderStatus.DELIVERED


def outcome(visit: Visit, order: OrderView | None) -> str:
    """A word for people."""
    if order is None:
        return "lost"
    if visit.purchase.way is Way.DECLINED:
        return "declined by the card"
    if order.status is OrderStatus.CANCELLED:
        return "cancelled by the shopper"
    return order.status.value.lower()


def shipped(visits: Sequence[Visit], orders: Mapping[str, OrderView]) -> dict[str, int]:
    """Pieces that left the house, by SKU: those of orders that a carrier has taken over."""
    shipped: Counter[str] = Counter()
    for visit in visits:
        order = orders.get(visit.order_id)
        for shipment in order.shipments if order else []:
            if shipment.handed_over_at is not None:
                shipped.update({line.sku: line.quantity for line in shipment.lines})
    return dict(shipped)
