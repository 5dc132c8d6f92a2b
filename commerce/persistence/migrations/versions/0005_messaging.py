"""Outbox and inbox, messages to people, the order's timeline, the audit trail, idempotency keys."""

from alembic import op

revision = "0005"
down_revision = "0004"

BOXES = """
CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL CONSTRAINT outbox_id_key UNIQUE,
    kind text NOT NULL CONSTRAINT outbox_kind
        CHECK (kind IN ('domain_event', 'notification', 'close_cart')),
    topic text NOT NULL,
    key text NOT NULL,
    payload jsonb NOT NULL,
    request_id text NOT NULL,
    traceparent text,
    actor text NOT NULL,
    on_behalf_of text,
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts integer NOT NULL DEFAULT 0,
    last_error text,
    published_at timestamptz
);
CREATE INDEX outbox_unpublished ON outbox (seq) WHERE published_at IS NULL;
CREATE INDEX outbox_unpublished_by_key ON outbox (topic, key, seq) WHERE published_at IS NULL;

CREATE TABLE inbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider text NOT NULL,
    event_id text NOT NULL,
    kind text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    order_id text,
    payment_id text,
    refund_id text,
    shipment_id text,
    provider_ref text,
    data jsonb NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    outcome text,
    told_at timestamptz,
    seen_at timestamptz,
    CONSTRAINT inbox_event_key UNIQUE (provider, event_id),
    CONSTRAINT inbox_told_before_seen CHECK (seen_at IS NULL OR told_at IS NOT NULL)
);
CREATE INDEX inbox_by_event ON inbox (event_id);
CREATE INDEX inbox_untold ON inbox (seq) WHERE told_at IS NULL;
CREATE INDEX inbox_unseen ON inbox (told_at) WHERE told_at IS NOT NULL AND seen_at IS NULL;

CREATE FUNCTION wake_relay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_TABLE_NAME, '');
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_wakes_relay AFTER INSERT ON outbox
    FOR EACH STATEMENT EXECUTE FUNCTION wake_relay();
CREATE TRIGGER inbox_wakes_relay AFTER INSERT ON inbox
    FOR EACH STATEMENT EXECUTE FUNCTION wake_relay();
"""

PEOPLE = """
CREATE TABLE notifications (
    id text PRIMARY KEY,
    order_id text NOT NULL REFERENCES orders,
    kind text NOT NULL CONSTRAINT notifications_kind
        CHECK (kind IN ('order_placed', 'order_shipped', 'order_delivered', 'order_cancelled',
                        'order_refunded')),
    dedupe text NOT NULL,
    status text NOT NULL DEFAULT 'pending' CONSTRAINT notifications_status
        CHECK (status IN ('pending', 'sent', 'suppressed')),
    provider_ref text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at timestamptz,
    CONSTRAINT notifications_once_key UNIQUE (order_id, kind, dedupe)
);

CREATE TABLE timeline (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id text NOT NULL REFERENCES orders,
    kind text NOT NULL,
    text text NOT NULL,
    data jsonb NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX timeline_by_order ON timeline (order_id, seq);

CREATE TABLE audit (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL CONSTRAINT audit_id_key UNIQUE,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    on_behalf_of text,
    request_id text NOT NULL,
    traceparent text,
    action text NOT NULL,
    object_type text NOT NULL,
    object_id text NOT NULL,
    before jsonb,
    after jsonb
);
CREATE INDEX audit_by_object ON audit (object_id, seq);

CREATE TABLE idempotency_keys (
    scope text NOT NULL,
    operation text NOT NULL,
    key_hash text NOT NULL,
    fingerprint text NOT NULL,
    object_id text NOT NULL,
    response_status integer,
    response_body json,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (scope, operation, key_hash),
    CONSTRAINT idempotency_keys_response CHECK ((response_status IS NULL) = (response_body IS NULL))
);
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox, inbox, notifications, idempotency_keys TO commerce_app;
GRANT SELECT, INSERT ON timeline, audit TO commerce_app;
GRANT SELECT ON outbox, inbox, notifications, timeline, audit, idempotency_keys TO commerce_readonly;
"""


def upgrade() -> None:
    for part in (BOXES, PEOPLE, RIGHTS):
        op.execute(part)
