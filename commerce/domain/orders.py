"""An order and its parts. Amounts are minor units in the order's one currency."""

from dataclasses import dataclass, field
from datetime import datetime

from commerce.contracts.checkout import PaymentAction
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


@dataclass(frozen=True)
class Address:
    """`country` is ISO 3166-1 alpha-2."""

    name: str
    line1: str
    city: str
    postal_code: str
    country: str
    line2: str | None = None
    region: str | None = None
    company: str | None = None
    phone: str | None = None


@dataclass(frozen=True)
class OrderLine:
    """A snapshot of what was promised. `tax` is the part of `total` that is tax (prices include it)."""

    line_no: int
    sku: str
    product_id: str
    title: str
    quantity: int
    unit_price: int
    subtotal: int
    discount: int
    tax: int
    total: int
    tax_rate: int = 0


@dataclass(frozen=True)
class Totals:
    """`total = subtotal - discount + shipping`; `tax` is contained in it."""

    currency: str
    subtotal: int
    discount: int
    shipping: int
    tax: int
    total: int


@dataclass(frozen=True)
class NewOrder:
    """The intent of a checkout, stored before anything else happens."""

    id: str
    payment_id: str
    cart_id: str
    customer_id: str | None
    guest_key: str | None
    email: str
    shipping_address: Address
    billing_address: Address | None
    shipping_method: str
    lines: list[OrderLine]
    totals: Totals
    provider: str
    payment_token: str | None
    livemode: bool = False
    reservation_id: str | None = None
    locale: str = "en"


@dataclass(frozen=True)
class Order:
    """The order row. `version` counts every change of state."""

    id: str
    number: str
    payment_id: str
    cart_id: str
    customer_id: str | None
    guest_key: str | None
    email: str
    shipping_address: Address
    billing_address: Address | None
    shipping_method: str
    totals: Totals
    provider: str
    order_state: OrderState
    payment_state: PaymentState
    fulfilment_state: FulfilmentState
    return_state: ReturnState
    status: OrderStatus
    livemode: bool
    reservation_id: str | None
    locale: str
    cancel_reason: str | None
    needs_attention: str | None
    created_at: datetime
    placed_at: datetime | None
    delivered_at: datetime | None
    version: int


@dataclass(frozen=True)
class Payment:
    """One payment at one provider; sums are over its life, `provider_ref` is the provider's id of it."""

    id: str
    order_id: str
    provider: str
    token: str | None
    status: PaymentStatus
    currency: str
    amount: int
    authorised: int
    captured: int
    refunded: int
    provider_ref: str | None
    action: PaymentAction | None
    decline_code: str | None
    capture_before: datetime | None
    livemode: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class RefundLine:
    """Pieces given back of one line; an amount without pieces is goodwill."""

    line_no: int
    quantity: int
    amount: int


@dataclass(frozen=True)
class NewRefund:
    id: str
    order_id: str
    payment_id: str
    amount: int
    reason: str
    lines: list[RefundLine] = field(default_factory=list)


@dataclass(frozen=True)
class Refund:
    id: str
    order_id: str
    payment_id: str
    amount: int
    currency: str
    reason: str
    status: RefundStatus
    provider_ref: str | None
    failure_code: str | None
    lines: list[RefundLine]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class ShipmentLine:
    line_no: int
    sku: str
    quantity: int
    warehouse: str


@dataclass(frozen=True)
class Shipment:
    """`carrier_ref` is stored before a label is bought, so that an unknown outcome can be looked up."""

    id: str
    order_id: str
    status: ShipmentStatus
    carrier: str
    carrier_ref: str | None
    tracking_code: str | None
    label_url: str | None
    tracking_url: str | None
    lines: list[ShipmentLine]
    handed_over_at: datetime | None
    delivered_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class OrderView:
    """An order with all that a client is shown, read by a fixed number of queries."""

    order: Order
    lines: list[OrderLine]
    payments: list[Payment]
    shipments: list[Shipment]
    refunds: list[Refund]


@dataclass(frozen=True)
class TimelineEntry:
    """`seq` orders all entries of the shop; `data` holds ids and amounts, nothing about a person."""

    seq: int
    order_id: str
    kind: str
    text: str
    at: datetime
    actor: str
    data: dict[str, str | int | bool | None] = field(default_factory=dict)
