"""What the emulator remembers. Times are Unix seconds, amounts minor units."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from devstack.emulators.common.jsonvalue import JSON


class IntentStatus(StrEnum):
    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    REQUIRES_CAPTURE = "requires_capture"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


class RefundStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class DisputeStatus(StrEnum):
    NEEDS_RESPONSE = "needs_response"
    WON = "won"
    LOST = "lost"


@dataclass
class PaymentMethod:
    id: str
    created: float
    token: str


@dataclass
class PaymentIntent:
    id: str
    created: float
    amount: int
    currency: str
    capture_method: str
    status: str
    client_secret: str
    metadata: dict[str, str] = field(default_factory=dict)
    amount_received: int = 0
    payment_method: str | None = None
    payment_method_types: list[str] = field(default_factory=lambda: ["card"])
    automatic_payment_methods: str | None = None
    """The `allow_redirects` setting where payment methods are chosen by Stripe."""
    confirmation_method: str = "automatic"
    latest_charge: str | None = None
    last_payment_error: dict[str, JSON] | None = None
    return_url: str | None = None
    canceled_at: float | None = None
    cancellation_reason: str | None = None
    echoed: dict[str, JSON] = field(default_factory=dict)
    """Parameters that are shown as they came: description, receipt_email, shipping, …"""


@dataclass
class Charge:
    id: str
    created: float
    amount: int
    currency: str
    payment_intent: str
    payment_method: str
    token: str
    """Of the test card that was charged."""
    status: str
    captured: bool = False
    amount_captured: int = 0
    released: int = 0
    """Authorised, and given back without a capture; Stripe shows it as refunded."""
    refunded: int = 0
    """Refunds that are pending or have succeeded."""
    disputed: bool = False
    failure_code: str | None = None
    failure_message: str | None = None
    decline_code: str | None = None
    blocked: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    description: str | None = None
    capture_deadline: float | None = None
    dispute_due: float | None = None


@dataclass
class Refund:
    id: str
    created: float
    amount: int
    currency: str
    charge: str
    payment_intent: str
    status: str
    reason: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    due: float | None = None
    """When the outcome arrives; None once it has."""
    fails: bool = False
    failure_reason: str | None = None


@dataclass
class Dispute:
    id: str
    created: float
    amount: int
    currency: str
    charge: str
    payment_intent: str
    status: str
    reason: str = "fraudulent"


@dataclass
class StoredEvent:
    """`body` is the event without `pending_webhooks`; `settled` once no delivery is due any more."""

    id: str
    type: str
    created: float
    body: dict[str, JSON]
    settled: bool = False


@dataclass
class RememberedAnswer:
    key: str
    endpoint: str
    fingerprint: str
    request_id: str
    created: float
    status: int
    body: str


Stored: TypeAlias = PaymentMethod | PaymentIntent | Charge | Refund | Dispute
