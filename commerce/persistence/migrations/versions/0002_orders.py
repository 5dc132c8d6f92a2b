"""Orders, payments, refunds and shipments. Amounts are minor units; currencies are equal by foreign key."""

from alembic import op

revision = "0002"
down_revision = "0001"

ORDERS = """
CREATE SEQUENCE order_numbers START 100001;

CREATE TABLE orders (
    id text PRIMARY KEY,
    number text NOT NULL DEFAULT 'CC-' || nextval('order_numbers') CONSTRAINT orders_number_key UNIQUE,
    payment_id text NOT NULL,
    cart_id text NOT NULL,
    customer_id text,
    guest_key text,
    email text NOT NULL,
    shipping_address jsonb NOT NULL,
    billing_address jsonb,
    shipping_method text NOT NULL REFERENCES shipping_methods,
    currency text NOT NULL CONSTRAINT orders_currency CHECK (currency ~ '^[A-Z]{3}$'),
    subtotal bigint NOT NULL CONSTRAINT orders_subtotal CHECK (subtotal >= 0),
    discount bigint NOT NULL CONSTRAINT orders_discount CHECK (discount BETWEEN 0 AND subtotal),
    shipping bigint NOT NULL CONSTRAINT orders_shipping CHECK (shipping >= 0),
    tax bigint NOT NULL CONSTRAINT orders_tax CHECK (tax BETWEEN 0 AND total),
    total bigint NOT NULL CONSTRAINT orders_total CHECK (total = subtotal - discount + shipping),
    provider text NOT NULL,
    order_state text NOT NULL DEFAULT 'pending' CONSTRAINT orders_order_state
        CHECK (order_state IN ('pending', 'confirmed', 'cancelled', 'completed')),
    payment_state text NOT NULL DEFAULT 'none' CONSTRAINT orders_payment_state
        CHECK (payment_state IN ('none', 'authorised', 'partially_captured', 'captured',
                                 'partially_refunded', 'refunded', 'failed', 'disputed')),
    fulfilment_state text NOT NULL DEFAULT 'unfulfilled' CONSTRAINT orders_fulfilment_state
        CHECK (fulfilment_state IN ('unfulfilled', 'partial', 'shipped', 'delivered', 'lost')),
    return_state text NOT NULL DEFAULT 'none' CONSTRAINT orders_return_state
        CHECK (return_state IN ('none', 'requested', 'in_transit', 'received', 'closed')),
    status text NOT NULL DEFAULT 'Pending' CONSTRAINT orders_status
        CHECK (status IN ('Pending', 'Processing', 'Shipped', 'Delivered', 'Cancelled', 'Refunded')),
    livemode boolean NOT NULL,
    reservation_id text,
    locale text NOT NULL,
    cancel_reason text,
    needs_attention text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    placed_at timestamptz,
    delivered_at timestamptz,
    started_at timestamptz,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1 CONSTRAINT orders_version CHECK (version > 0),
    request_id text NOT NULL,
    traceparent text,
    actor text NOT NULL,
    on_behalf_of text,
    CONSTRAINT orders_id_currency_key UNIQUE (id, currency)
);
CREATE UNIQUE INDEX orders_one_per_cart ON orders (cart_id) WHERE order_state <> 'cancelled';
CREATE INDEX orders_by_age ON orders (created_at, id);
CREATE INDEX orders_by_customer ON orders (customer_id, created_at, id);
CREATE INDEX orders_by_status ON orders (status, created_at, id);
CREATE INDEX orders_not_started ON orders (created_at) WHERE started_at IS NULL AND order_state = 'pending';

CREATE TABLE order_lines (
    order_id text NOT NULL REFERENCES orders,
    line_no integer NOT NULL CONSTRAINT order_lines_line_no CHECK (line_no > 0),
    sku text NOT NULL REFERENCES variants,
    product_id text NOT NULL REFERENCES products,
    title text NOT NULL,
    quantity integer NOT NULL CONSTRAINT order_lines_quantity CHECK (quantity > 0),
    unit_price bigint NOT NULL CONSTRAINT order_lines_unit_price CHECK (unit_price >= 0),
    subtotal bigint NOT NULL CONSTRAINT order_lines_subtotal CHECK (subtotal = unit_price * quantity),
    discount bigint NOT NULL CONSTRAINT order_lines_discount CHECK (discount BETWEEN 0 AND subtotal),
    tax bigint NOT NULL CONSTRAINT order_lines_tax CHECK (tax BETWEEN 0 AND total),
    total bigint NOT NULL CONSTRAINT order_lines_total CHECK (total = subtotal - discount),
    tax_rate integer NOT NULL CONSTRAINT order_lines_tax_rate CHECK (tax_rate BETWEEN 0 AND 10000),
    PRIMARY KEY (order_id, line_no)
);
CREATE INDEX order_lines_by_product ON order_lines (product_id);
CREATE INDEX order_lines_by_sku ON order_lines (sku);
"""

PAYMENTS = """
CREATE TABLE payments (
    id text PRIMARY KEY,
    order_id text NOT NULL,
    provider text NOT NULL,
    token text,
    status text NOT NULL DEFAULT 'requested' CONSTRAINT payments_status
        CHECK (status IN ('requested', 'requires_action', 'processing', 'authorised', 'captured',
                          'declined', 'voided')),
    currency text NOT NULL,
    amount bigint NOT NULL CONSTRAINT payments_amount CHECK (amount >= 0),
    authorised bigint NOT NULL DEFAULT 0 CONSTRAINT payments_authorised CHECK (authorised >= 0),
    captured bigint NOT NULL DEFAULT 0 CONSTRAINT payments_captured
        CHECK (captured BETWEEN 0 AND authorised),
    refunded bigint NOT NULL DEFAULT 0 CONSTRAINT payments_refunded
        CHECK (refunded BETWEEN 0 AND captured),
    provider_ref text,
    action jsonb,
    decline_code text,
    capture_before timestamptz,
    livemode boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT payments_order_fkey FOREIGN KEY (order_id, currency) REFERENCES orders (id, currency),
    CONSTRAINT payments_id_currency_key UNIQUE (id, currency),
    CONSTRAINT payments_provider_ref_key UNIQUE (provider, provider_ref)
);
CREATE INDEX payments_by_order ON payments (order_id, created_at);
CREATE UNIQUE INDEX payments_one_live_per_order ON payments (order_id)
    WHERE status NOT IN ('declined', 'voided');
CREATE INDEX payments_waiting ON payments (updated_at)
    WHERE status IN ('requires_action', 'processing');
ALTER TABLE orders ADD CONSTRAINT orders_payment_fkey FOREIGN KEY (payment_id) REFERENCES payments (id)
    DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE refunds (
    id text PRIMARY KEY,
    order_id text NOT NULL REFERENCES orders,
    payment_id text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL CONSTRAINT refunds_amount CHECK (amount > 0),
    reason text NOT NULL,
    status text NOT NULL DEFAULT 'requested' CONSTRAINT refunds_status
        CHECK (status IN ('requested', 'pending', 'succeeded', 'failed')),
    provider_ref text,
    failure_code text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT refunds_payment_fkey FOREIGN KEY (payment_id, currency) REFERENCES payments (id, currency),
    CONSTRAINT refunds_id_order_key UNIQUE (id, order_id)
);
CREATE INDEX refunds_by_order ON refunds (order_id, created_at);
CREATE INDEX refunds_by_payment ON refunds (payment_id);
CREATE INDEX refunds_open ON refunds (updated_at) WHERE status IN ('requested', 'pending');

CREATE TABLE refund_lines (
    refund_id text NOT NULL,
    order_id text NOT NULL,
    line_no integer NOT NULL,
    quantity integer NOT NULL CONSTRAINT refund_lines_quantity CHECK (quantity >= 0),
    amount bigint NOT NULL CONSTRAINT refund_lines_amount CHECK (amount >= 0),
    PRIMARY KEY (refund_id, line_no),
    CONSTRAINT refund_lines_refund_fkey FOREIGN KEY (refund_id, order_id) REFERENCES refunds (id, order_id),
    CONSTRAINT refund_lines_line_fkey FOREIGN KEY (order_id, line_no)
        REFERENCES order_lines (order_id, line_no)
);
CREATE INDEX refund_lines_by_order_line ON refund_lines (order_id, line_no);
"""

SHIPMENTS = """
CREATE TABLE shipments (
    id text PRIMARY KEY,
    order_id text NOT NULL REFERENCES orders,
    status text NOT NULL DEFAULT 'allocated' CONSTRAINT shipments_status
        CHECK (status IN ('allocated', 'labelled', 'handed_over', 'out_for_delivery', 'delivered',
                          'returning', 'lost', 'cancelled')),
    carrier text NOT NULL DEFAULT '',
    carrier_ref text,
    tracking_code text CONSTRAINT shipments_tracking_code_key UNIQUE,
    label_url text,
    tracking_url text,
    handed_over_at timestamptz,
    delivered_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT shipments_id_order_key UNIQUE (id, order_id)
);
CREATE INDEX shipments_by_order ON shipments (order_id, created_at);
CREATE INDEX shipments_on_their_way ON shipments (updated_at)
    WHERE status IN ('labelled', 'handed_over', 'out_for_delivery');

CREATE TABLE shipment_lines (
    shipment_id text NOT NULL,
    order_id text NOT NULL,
    line_no integer NOT NULL,
    sku text NOT NULL REFERENCES variants,
    quantity integer NOT NULL CONSTRAINT shipment_lines_quantity CHECK (quantity > 0),
    warehouse text NOT NULL REFERENCES warehouses,
    PRIMARY KEY (shipment_id, line_no, warehouse),
    CONSTRAINT shipment_lines_shipment_fkey FOREIGN KEY (shipment_id, order_id)
        REFERENCES shipments (id, order_id),
    CONSTRAINT shipment_lines_line_fkey FOREIGN KEY (order_id, line_no)
        REFERENCES order_lines (order_id, line_no)
);

CREATE TABLE tracking_facts (
    shipment_id text NOT NULL REFERENCES shipments,
    event_id text NOT NULL,
    status text CONSTRAINT tracking_facts_status
        CHECK (status IN ('allocated', 'labelled', 'handed_over', 'out_for_delivery', 'delivered',
                          'returning', 'lost', 'cancelled')),
    text text NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (shipment_id, event_id)
);
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE, DELETE
    ON orders, order_lines, payments, refunds, refund_lines, shipments, shipment_lines, tracking_facts
    TO commerce_app;
GRANT USAGE ON SEQUENCE order_numbers TO commerce_app;
GRANT SELECT
    ON orders, order_lines, payments, refunds, refund_lines, shipments, shipment_lines, tracking_facts
    TO commerce_readonly;
"""


def upgrade() -> None:
    for part in (ORDERS, PAYMENTS, SHIPMENTS, RIGHTS):
        op.execute(part)
