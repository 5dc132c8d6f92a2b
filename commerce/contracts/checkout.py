"""Messages of the checkout saga: workflow input, updates, signals, queries and their activities."""

from dataclasses import dataclass, field
from enum import StrEnum

from commerce.contracts.context import RequestContext
from commerce.contracts.money import Money
from commerce.contracts.statuses import OrderStatus, PaymentState


@dataclass(frozen=True)
class CheckoutPolicy:
    """Settings frozen into a workflow's input at its start. All times in seconds."""

    hold_seconds: int = 900
    hold_extension_seconds: int = 900
    """Given once, while the shopper is at the provider; after it money and stock are given back."""
    returns_window_seconds: int = 30 * 86_400
    attention_after_seconds: int = 120
    """A compensation that has failed for this long is shown to support."""


@dataclass(frozen=True)
class CheckoutInput:
    """Everything else is read from PostgreSQL by `order_id`; `number` and `total` only label the workflow."""

    order_id: str
    payment_id: str
    number: str
    total: Money
    provider: str
    context: RequestContext
    policy: CheckoutPolicy = field(default_factory=CheckoutPolicy)


class CheckoutStatus(StrEnum):
    PLACED = "placed"
    REQUIRES_ACTION = "requires_action"
    IN_REVIEW = "in_review"
    PROCESSING = "processing"
    DECLINED = "declined"
    OUT_OF_STOCK = "out_of_stock"
    PRICE_CHANGED = "price_changed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class PaymentAction:
    """What the shopper must do at the provider; `client_secret` is for the provider's own browser library."""

    type: str
    url: str | None = None
    client_secret: str | None = None


@dataclass(frozen=True)
class Shortage:
    """A line that cannot be served: `line_no` counts from 1, `available` is what is left right now."""

    line_no: int
    sku: str
    requested: int
    available: int


@dataclass(frozen=True)
class CheckoutAnswer:
    """What the first update answers; a business refusal is an answer, never an exception."""

    order_id: str
    status: CheckoutStatus
    action: PaymentAction | None = None
    decline_code: str | None = None
    shortages: list[Shortage] = field(default_factory=list)


@dataclass(frozen=True)
class OrderRef:
    order_id: str
    context: RequestContext


@dataclass(frozen=True)
class PromiseCheck:
    """Whether the stored intent still holds: `ok`, or why not."""

    ok: bool
    price_changed: bool = False


@dataclass(frozen=True)
class OrderProgress:
    """Where the order stands now; told to its workflow. A lower `version` is old news."""

    version: int
    status: OrderStatus
    payment: PaymentState


@dataclass(frozen=True)
class PlaceOrder:
    order_id: str
    payment_id: str
    context: RequestContext


@dataclass(frozen=True)
class PlacedOrder:
    """`shortages` is filled when the hold had run out and the goods are gone: then nothing was placed."""

    placed: bool
    progress: OrderProgress
    shipment_ids: list[str] = field(default_factory=list)
    shortages: list[Shortage] = field(default_factory=list)


class RejectReason(StrEnum):
    DECLINED = "declined"
    OUT_OF_STOCK = "out_of_stock"
    PRICE_CHANGED = "price_changed"
    PAYMENT_EXPIRED = "payment_expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True)
class RejectOrder:
    order_id: str
    reason: RejectReason
    context: RequestContext
    detail: str | None = None


@dataclass(frozen=True)
class CancelOrder:
    """Asks to undo an order; `reason` is free text for people, kept in the audit trail."""

    context: RequestContext
    reason: str = ""


@dataclass(frozen=True)
class CancelCommand:
    order_id: str
    request: CancelOrder


@dataclass(frozen=True)
class CancelDecision:
    """The database's word, final: when accepted, the order is cancelled and no parcel may leave any more."""

    accepted: bool
    progress: OrderProgress
    refusal: str | None = None
    refund_due: bool = False


@dataclass(frozen=True)
class CancelAnswer:
    """`money_returned` is false while the provider has not yet confirmed the void or the refund."""

    accepted: bool
    status: OrderStatus
    money_returned: bool = False
    refusal: str | None = None


@dataclass(frozen=True)
class CompleteOrder:
    order_id: str
    context: RequestContext


@dataclass(frozen=True)
class ExternalEvent:
    """A signal about a fact from outside: ids only, the workflow reads the fact through an activity."""

    event_id: str
    kind: str


class Resolution(StrEnum):
    RETRY = "retry"
    MARK_DONE = "mark_done"
    WRITE_OFF = "write_off"


@dataclass(frozen=True)
class ResolveCompensation:
    """Support's decision on a parked compensation; `reference` says where the proof is when done by hand."""

    step: str
    resolution: Resolution
    context: RequestContext
    reference: str = ""


@dataclass(frozen=True)
class RecordResolution:
    """Puts support's decision on an order's parked compensation into the audit trail."""

    order_id: str
    decision: ResolveCompensation


@dataclass(frozen=True)
class ParkedCompensation:
    """An undo that keeps failing: it is tried again by itself, support may decide otherwise."""

    step: str
    error: str
    since: str


@dataclass(frozen=True)
class FlagAttention:
    """Shows an order to support (`reason`) or takes it off the list (None)."""

    order_id: str
    reason: str | None
    context: RequestContext


@dataclass(frozen=True)
class OrderSituation:
    """Answer of the query `status`: in plain words where the order stands and what happens next."""

    status: OrderStatus
    doing: str
    waiting_for: str | None
    since: str
    next: str
    parked: list[ParkedCompensation] = field(default_factory=list)
