"""Rows to records."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import RowMapping

from commerce.contracts.checkout import PaymentAction
from commerce.contracts.context import RequestContext
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
from commerce.domain.orders import (
    Address,
    Order,
    OrderLine,
    Payment,
    Refund,
    RefundLine,
    Shipment,
    ShipmentLine,
    Totals,
)


def order_of(row: RowMapping) -> Order:
    return Order(
        id=row["id"],
        number=row["number"],
        payment_id=row["payment_id"],
        cart_id=row["cart_id"],
        customer_id=row["customer_id"],
        guest_key=row["guest_key"],
        email=row["email"],
        shipping_address=Address(**row["shipping_address"]),
        billing_address=Address(**row["billing_address"]) if row["billing_address"] else None,
        shipping_method=row["shipping_method"],
        totals=totals_of(row),
        provider=row["provider"],
        order_state=OrderState(row["order_state"]),
        payment_state=PaymentState(row["payment_state"]),
        fulfilment_state=FulfilmentState(row["fulfilment_state"]),
        return_state=ReturnState(row["return_state"]),
        status=OrderStatus(row["status"]),
        livemode=row["livemode"],
        reservation_id=row["reservation_id"],
        locale=row["locale"],
        cancel_reason=row["cancel_reason"],
        needs_attention=row["needs_attention"],
        created_at=row["created_at"],
        placed_at=row["placed_at"],
        delivered_at=row["delivered_at"],
        version=row["version"],
    )


def totals_of(row: RowMapping) -> Totals:
    return Totals(
        currency=row["currency"],
        subtotal=row["subtotal"],
        discount=row["discount"],
        shipping=row["shipping"],
        tax=row["tax"],
        total=row["total"],
    )


def line_of(row: RowMapping) -> OrderLine:
    return OrderLine(
        line_no=row["line_no"],
        sku=row["sku"],
        product_id=row["product_id"],
        title=row["title"],
        quantity=row["quantity"],
        unit_price=row["unit_price"],
        subtotal=row["subtotal"],
        discount=row["discount"],
        tax=row["tax"],
        total=row["total"],
        tax_rate=row["tax_rate"],
    )


def payment_of(row: RowMapping) -> Payment:
    return Payment(
        id=row["id"],
        order_id=row["order_id"],
        provider=row["provider"],
        token=row["token"],
        status=PaymentStatus(row["status"]),
        currency=row["currency"],
        amount=row["amount"],
        authorised=row["authorised"],
        captured=row["captured"],
        refunded=row["refunded"],
        provider_ref=row["provider_ref"],
        action=PaymentAction(**row["action"]) if row["action"] else None,
        decline_code=row["decline_code"],
        capture_before=row["capture_before"],
        livemode=row["livemode"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def refund_of(row: RowMapping, lines: Sequence[RefundLine]) -> Refund:
    return Refund(
        id=row["id"],
        order_id=row["order_id"],
        payment_id=row["payment_id"],
        amount=row["amount"],
        currency=row["currency"],
        reason=row["reason"],
        status=RefundStatus(row["status"]),
        provider_ref=row["provider_ref"],
        failure_code=row["failure_code"],
        lines=list(lines),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def shipment_of(row: RowMapping, lines: Sequence[ShipmentLine]) -> Shipment:
    return Shipment(
        id=row["id"],
        order_id=row["order_id"],
        status=ShipmentStatus(row["status"]),
        carrier=row["carrier"],
        carrier_ref=row["carrier_ref"],
        tracking_code=row["tracking_code"],
        label_url=row["label_url"],
        tracking_url=row["tracking_url"],
        lines=list(lines),
        handed_over_at=row["handed_over_at"],
        delivered_at=row["delivered_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def context_of(row: RowMapping) -> RequestContext:
    return RequestContext(
        request_id=row["request_id"],
        actor=row["actor"],
        traceparent=row["traceparent"],
        on_behalf_of=row["on_behalf_of"],
    )


def context_columns(context: RequestContext) -> dict[str, str | None]:
    return dict(asdict(context))
