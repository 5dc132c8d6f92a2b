"""Rows of the outbox, the inbox, notifications, the audit trail, idempotency and the invariants."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from commerce.contracts.context import RequestContext
from commerce.contracts.notifications import NotificationKind
from commerce.contracts.statuses import NotificationStatus
from commerce.domain.providers import ProviderEvent


class OutboxKind(StrEnum):
    DOMAIN_EVENT = "domain_event"
    """To the SNS topic named by `topic`."""
    NOTIFICATION = "notification"
    """Starts a NotificationWorkflow; `key` is the notification's id."""
    CLOSE_CART = "close_cart"
    """Marks the cart `key` as ordered."""


@dataclass(frozen=True)
class OutboxMessage:
    """`id` is the event id by which consumers deduplicate; `key` orders messages of one object."""

    id: str
    kind: OutboxKind
    topic: str
    key: str
    payload: dict[str, object]
    context: RequestContext
    occurred_at: datetime | None = None
    attempts: int = 0


@dataclass(frozen=True)
class InboxEvent:
    """A verified webhook as stored. `told` says when its workflow was told, `seen` when that read it."""

    provider: str
    event_id: str
    kind: str
    received_at: datetime | None
    order_id: str | None = None
    payment_id: str | None = None
    refund_id: str | None = None
    shipment_id: str | None = None
    provider_ref: str | None = None
    data: dict[str, object] = field(default_factory=dict)
    attempts: int = 0


@dataclass(frozen=True)
class NewNotification:
    id: str
    order_id: str
    kind: NotificationKind
    dedupe: str = ""
    """Tells two messages of one kind apart (a refund's id); one message per order, kind and dedupe."""


@dataclass(frozen=True)
class Notification:
    id: str
    order_id: str
    kind: NotificationKind
    status: NotificationStatus
    recipient: str
    locale: str
    provider_ref: str | None
    data: dict[str, str | int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditEntry:
    """`before` and `after` hold states and amounts, no names or addresses."""

    id: str
    at: datetime
    actor: str
    on_behalf_of: str | None
    request_id: str
    action: str
    object_type: str
    object_id: str
    before: dict[str, object] | None = None
    after: dict[str, object] | None = None


@dataclass(frozen=True)
class StoredResponse:
    status: int
    body: dict[str, object]


@dataclass(frozen=True)
class IdempotencyClaim:
    """`created` is true for the one request that owns the key; the others see its object and answer."""

    created: bool
    object_id: str
    response: StoredResponse | None = None


@dataclass(frozen=True)
class InvariantResult:
    """`rows` are the offenders, ids and amounts; empty when the invariant holds."""

    name: str
    area: str
    ok: bool
    rows: list[dict[str, object]] = field(default_factory=list)


@dataclass(frozen=True)
class Posting:
    """One side of a ledger transaction; debits positive, credits negative, minor units."""

    account: str
    amount: int


@dataclass(frozen=True)
class LedgerTransaction:
    """`key` makes posting twice harmless; its postings sum to zero."""

    key: str
    kind: str
    order_id: str
    currency: str
    postings: list[Posting] = field(default_factory=list)


def received(event: ProviderEvent) -> InboxEvent:
    """A verified webhook as the inbox stores it."""
    return InboxEvent(
        provider=event.provider,
        event_id=event.event_id,
        kind=event.kind,
        received_at=None,
        order_id=event.order_id,
        payment_id=event.payment_id,
        refund_id=event.refund_id,
        shipment_id=event.shipment_id,
        provider_ref=event.provider_ref,
        data=event.data,
    )
