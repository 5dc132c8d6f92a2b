"""Outbox, inbox, messages to people, timeline, audit trail, idempotency keys."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, DateTime, Named, Table, TypedColumns
from sqlalchemy.dialects.postgresql import JSONB

from commerce.persistence.tables import metadata


class OutboxColumns(TypedColumns):
    seq: Named[int] = Column(BigInteger)
    id: Named[str]
    kind: Named[str]
    topic: Named[str]
    key: Named[str]
    payload: Named[dict[str, object]] = Column(JSONB)
    request_id: Named[str]
    traceparent: Named[str | None]
    actor: Named[str]
    on_behalf_of: Named[str | None]
    occurred_at: Named[datetime] = Column(DateTime(timezone=True))
    due_at: Named[datetime] = Column(DateTime(timezone=True))
    attempts: Named[int]
    last_error: Named[str | None]
    published_at: Named[datetime | None] = Column(DateTime(timezone=True))


class InboxColumns(TypedColumns):
    seq: Named[int] = Column(BigInteger)
    provider: Named[str]
    event_id: Named[str]
    kind: Named[str]
    received_at: Named[datetime] = Column(DateTime(timezone=True))
    order_id: Named[str | None]
    payment_id: Named[str | None]
    refund_id: Named[str | None]
    shipment_id: Named[str | None]
    provider_ref: Named[str | None]
    data: Named[dict[str, object]] = Column(JSONB)
    attempts: Named[int]
    due_at: Named[datetime] = Column(DateTime(timezone=True))
    outcome: Named[str | None]
    told_at: Named[datetime | None] = Column(DateTime(timezone=True))
    seen_at: Named[datetime | None] = Column(DateTime(timezone=True))


class NotificationColumns(TypedColumns):
    id: Named[str]
    order_id: Named[str]
    kind: Named[str]
    dedupe: Named[str]
    status: Named[str]
    provider_ref: Named[str | None]
    created_at: Named[datetime] = Column(DateTime(timezone=True))
    sent_at: Named[datetime | None] = Column(DateTime(timezone=True))


class TimelineColumns(TypedColumns):
    seq: Named[int] = Column(BigInteger)
    order_id: Named[str]
    kind: Named[str]
    text: Named[str]
    data: Named[dict[str, str | int | bool | None]] = Column(JSONB)
    actor: Named[str]
    at: Named[datetime] = Column(DateTime(timezone=True))


class AuditColumns(TypedColumns):
    seq: Named[int] = Column(BigInteger)
    id: Named[str]
    at: Named[datetime] = Column(DateTime(timezone=True))
    actor: Named[str]
    on_behalf_of: Named[str | None]
    request_id: Named[str]
    traceparent: Named[str | None]
    action: Named[str]
    object_type: Named[str]
    object_id: Named[str]
    before: Named[dict[str, object] | None] = Column(JSONB(none_as_null=True))
    after: Named[dict[str, object] | None] = Column(JSONB(none_as_null=True))


class IdempotencyKeyColumns(TypedColumns):
    scope: Named[str]
    operation: Named[str]
    key_hash: Named[str]
    fingerprint: Named[str]
    object_id: Named[str]
    response_status: Named[int | None]
    response_body: Named[dict[str, object] | None] = Column(JSON(none_as_null=True))
    created_at: Named[datetime] = Column(DateTime(timezone=True))


outbox = Table("outbox", metadata, OutboxColumns)
inbox = Table("inbox", metadata, InboxColumns)
notifications = Table("notifications", metadata, NotificationColumns)
timeline = Table("timeline", metadata, TimelineColumns)
audit = Table("audit", metadata, AuditColumns)
idempotency_keys = Table("idempotency_keys", metadata, IdempotencyKeyColumns)
