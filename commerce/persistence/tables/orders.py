"""Orders and their lines, payments, refunds, shipments."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, Named, Table, TypedColumns
from sqlalchemy.dialects.postgresql import JSONB

from commerce.persistence.tables import metadata


class OrderColumns(TypedColumns):
    id: Named[str]
    number: Named[str]
    payment_id: Named[str]
    cart_id: Named[str]
    customer_id: Named[str | None]
    guest_key: Named[str | None]
    email: Named[str]
    shipping_address: Named[dict[str, str | None]] = Column(JSONB(none_as_null=True))
    billing_address: Named[dict[str, str | None] | None] = Column(JSONB(none_as_null=True))
    shipping_method: Named[str]
    currency: Named[str]
    subtotal: Named[int] = Column(BigInteger)
    discount: Named[int] = Column(BigInteger)
    shipping: Named[int] = Column(BigInteger)
    tax: Named[int] = Column(BigInteger)
    total: Named[int] = Column(BigInteger)
    provider: Named[str]
    order_state: Named[str]
    payment_state: Named[str]
    fulfilment_state: Named[str]
    return_state: Named[str]
    status: Named[str]
    livemode: Named[bool]
    reservation_id: Named[str | None]
    locale: Named[str]
    cancel_reason: Named[str | None]
    needs_attention: Named[str | None]
    created_at: Named[datetime] = Column(DateTime(timezone=True))
    placed_at: Named[datetime | None] = Column(DateTime(timezone=True))
    delivered_at: Named[datetime | None] = Column(DateTime(timezone=True))
    started_at: Named[datetime | None] = Column(DateTime(timezone=True))
    changed_at: Named[datetime] = Column(DateTime(timezone=True))
    version: Named[int]
    request_id: Named[str]
    traceparent: Named[str | None]
    actor: Named[str]
    on_behalf_of: Named[str | None]


class OrderLineColumns(TypedColumns):
    order_id: Named[str]
    line_no: Named[int]
    sku: Named[str]
    product_id: Named[str]
    title: Named[str]
    quantity: Named[int]
    unit_price: Named[int] = Column(BigInteger)
    subtotal: Named[int] = Column(BigInteger)
    discount: Named[int] = Column(BigInteger)
    tax: Named[int] = Column(BigInteger)
    total: Named[int] = Column(BigInteger)
    tax_rate: Named[int]


class PaymentColumns(TypedColumns):
    id: Named[str]
    order_id: Named[str]
    provider: Named[str]
    token: Named[str | None]
    status: Named[str]
    currency: Named[str]
    amount: Named[int] = Column(BigInteger)
    authorised: Named[int] = Column(BigInteger)
    captured: Named[int] = Column(BigInteger)
    refunded: Named[int] = Column(BigInteger)
    provider_ref: Named[str | None]
    action: Named[dict[str, str | None] | None] = Column(JSONB(none_as_null=True))
    decline_code: Named[str | None]
    capture_before: Named[datetime | None] = Column(DateTime(timezone=True))
    livemode: Named[bool]
    created_at: Named[datetime] = Column(DateTime(timezone=True))
    updated_at: Named[datetime] = Column(DateTime(timezone=True))


class RefundColumns(TypedColumns):
    id: Named[str]
    order_id: Named[str]
    payment_id: Named[str]
    currency: Named[str]
    amount: Named[int] = Column(BigInteger)
    reason: Named[str]
    status: Named[str]
    provider_ref: Named[str | None]
    failure_code: Named[str | None]
    created_at: Named[datetime] = Column(DateTime(timezone=True))
    updated_at: Named[datetime] = Column(DateTime(timezone=True))


class RefundLineColumns(TypedColumns):
    refund_id: Named[str]
    order_id: Named[str]
    line_no: Named[int]
    quantity: Named[int]
    amount: Named[int] = Column(BigInteger)


class ShipmentColumns(TypedColumns):
    id: Named[str]
    order_id: Named[str]
    status: Named[str]
    carrier: Named[str]
    carrier_ref: Named[str | None]
    tracking_code: Named[str | None]
    label_url: Named[str | None]
    tracking_url: Named[str | None]
    handed_over_at: Named[datetime | None] = Column(DateTime(timezone=True))
    delivered_at: Named[datetime | None] = Column(DateTime(timezone=True))
    created_at: Named[datetime] = Column(DateTime(timezone=True))
    updated_at: Named[datetime] = Column(DateTime(timezone=True))


class ShipmentLineColumns(TypedColumns):
    shipment_id: Named[str]
    order_id: Named[str]
    line_no: Named[int]
    sku: Named[str]
    quantity: Named[int]
    warehouse: Named[str]


class TrackingFactColumns(TypedColumns):
    shipment_id: Named[str]
    event_id: Named[str]
    status: Named[str | None]
    text: Named[str]
    occurred_at: Named[datetime] = Column(DateTime(timezone=True))
    received_at: Named[datetime] = Column(DateTime(timezone=True))


orders = Table("orders", metadata, OrderColumns)
order_lines = Table("order_lines", metadata, OrderLineColumns)
payments = Table("payments", metadata, PaymentColumns)
refunds = Table("refunds", metadata, RefundColumns)
refund_lines = Table("refund_lines", metadata, RefundLineColumns)
shipments = Table("shipments", metadata, ShipmentColumns)
shipment_lines = Table("shipment_lines", metadata, ShipmentLineColumns)
tracking_facts = Table("tracking_facts", metadata, TrackingFactColumns)
