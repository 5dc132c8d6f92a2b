"""Messages of payments. Amounts are in minor units; a payment's token and secrets stay in PostgreSQL."""

from dataclasses import dataclass, field
from enum import StrEnum

from commerce.contracts.checkout import OrderProgress, PaymentAction
from commerce.contracts.context import RequestContext
from commerce.contracts.money import Money
from commerce.contracts.statuses import PaymentStatus, RefundStatus


@dataclass(frozen=True)
class PaymentRef:
    payment_id: str
    order_id: str
    context: RequestContext


@dataclass(frozen=True)
class PaymentFacts:
    """What the provider says of a payment. `capture_before` is RFC 3339, the provider's own deadline."""

    status: PaymentStatus
    action: PaymentAction | None = None
    decline_code: str | None = None
    capture_before: str | None = None


@dataclass(frozen=True)
class ReadPayment:
    """Asks the provider where the payment stands; `event_ids` are the inbox rows that made us ask."""

    payment_id: str
    order_id: str
    context: RequestContext
    event_ids: list[str] = field(default_factory=list)


class PaymentTask(StrEnum):
    """Why a run of the payment's workflow was started."""

    CAPTURE = "capture"
    UNDO = "undo"
    SERVE = "serve"
    """Only to execute the updates that started it."""


@dataclass(frozen=True)
class PaymentInput:
    payment_id: str
    order_id: str
    number: str
    amount: Money
    provider: str
    task: PaymentTask
    context: RequestContext
    attention_after_seconds: int = 120
    """A step that has failed for this long is shown to support."""
    refund_poll_seconds: int = 3600
    """How long a pending refund may go without news before the provider is asked."""


@dataclass(frozen=True)
class PaymentSettled:
    """`captured` and `refunded` are sums over the payment's life"""

    captured: int
    refunded: int
    progress: OrderProgress


@dataclass(frozen=True)
class RefundPayment:
    """Carries out a stored refund; repeating it after any outcome gives the money back once."""

    refund_id: str
    payment_id: str
    order_id: str
    context: RequestContext
    event_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RefundRequested:
    """Update that has the payment's workflow carry a stored refund out."""

    refund_id: str
    context: RequestContext


@dataclass(frozen=True)
class RefundOutcome:
    refund_id: str
    status: RefundStatus
    progress: OrderProgress
    failure_code: str | None = None


@dataclass(frozen=True)
class UndoPlan:
    """What is left to give back; `refund_id` names the stored refund of a captured payment.

    `settled`: all that was captured is given back or on its way already.
    """

    refund_id: str | None
    settled: bool = False
