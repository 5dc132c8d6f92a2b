"""What the ports to payment providers and carriers take and give, in our own words."""

from dataclasses import dataclass, field
from datetime import datetime

from commerce.contracts.checkout import PaymentAction
from commerce.contracts.money import Money
from commerce.contracts.statuses import PaymentStatus, RefundStatus, ShipmentStatus
from commerce.domain.orders import Address


@dataclass(frozen=True)
class AuthorisationRequest:
    """Authorises `amount` without capturing. The provider's key and metadata are made of the two ids."""

    order_id: str
    payment_id: str
    number: str
    amount: Money
    token: str | None
    return_url: str


@dataclass(frozen=True)
class ProviderPayment:
    """A payment as the provider has it, re-read or just answered; amounts in our minor units."""

    provider_ref: str
    status: PaymentStatus
    amount: Money
    authorised: int = 0
    captured: int = 0
    refunded: int = 0
    order_id: str | None = None
    payment_id: str | None = None
    action: PaymentAction | None = None
    decline_code: str | None = None
    capture_before: datetime | None = None
    livemode: bool = False


@dataclass(frozen=True)
class RefundRequest:
    refund_id: str
    payment_id: str
    order_id: str
    provider_ref: str
    amount: Money


@dataclass(frozen=True)
class ProviderRefund:
    provider_ref: str
    status: RefundStatus
    amount: Money
    refund_id: str | None = None
    failure_code: str | None = None


@dataclass(frozen=True)
class ProviderEvent:
    """A verified webhook: which of our objects it speaks of, as far as it says; `data` is the raw event."""

    provider: str
    event_id: str
    kind: str
    occurred_at: datetime
    order_id: str | None = None
    payment_id: str | None = None
    refund_id: str | None = None
    shipment_id: str | None = None
    provider_ref: str | None = None
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ParcelRequest:
    shipment_id: str
    order_id: str
    ship_to: Address
    pieces: int


@dataclass(frozen=True)
class BoughtLabel:
    carrier: str
    carrier_ref: str
    tracking_code: str
    label_url: str
    tracking_url: str | None = None


@dataclass(frozen=True)
class TrackingFact:
    """One piece of a carrier's news; `status` is None for news that moves nothing."""

    event_id: str
    shipment_id: str | None
    tracking_code: str
    status: ShipmentStatus | None
    text: str
    occurred_at: datetime
