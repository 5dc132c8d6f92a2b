"""Stock: movements are the truth; levels are their sums, kept by a trigger that nobody can get around."""

from alembic import op

revision = "0003"
down_revision = "0002"

LEVELS = """
CREATE TABLE stock_items (
    sku text PRIMARY KEY REFERENCES variants
);
COMMENT ON TABLE stock_items IS 'One row per SKU, locked in SKU order by whoever changes its stock or holds.';

CREATE TABLE stock_levels (
    sku text NOT NULL REFERENCES stock_items,
    warehouse text NOT NULL REFERENCES warehouses,
    on_hand bigint NOT NULL CONSTRAINT stock_levels_on_hand CHECK (on_hand >= 0),
    allocated bigint NOT NULL CONSTRAINT stock_levels_allocated CHECK (allocated BETWEEN 0 AND on_hand),
    PRIMARY KEY (sku, warehouse)
);

CREATE TABLE stock_movements (
    id text PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    key text NOT NULL CONSTRAINT stock_movements_key_key UNIQUE,
    sku text NOT NULL REFERENCES stock_items,
    warehouse text NOT NULL REFERENCES warehouses,
    kind text NOT NULL CONSTRAINT stock_movements_kind
        CHECK (kind IN ('receipt', 'correction', 'allocate', 'deallocate', 'deduct')),
    on_hand_delta bigint NOT NULL,
    allocated_delta bigint NOT NULL,
    reason text NOT NULL,
    order_id text REFERENCES orders,
    shipment_id text,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    request_id text NOT NULL,
    CONSTRAINT stock_movements_not_empty CHECK (on_hand_delta <> 0 OR allocated_delta <> 0)
);
CREATE INDEX stock_movements_by_sku ON stock_movements (sku, seq);
CREATE INDEX stock_movements_by_order ON stock_movements (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX stock_movements_by_shipment ON stock_movements (shipment_id) WHERE shipment_id IS NOT NULL;

CREATE FUNCTION apply_stock_movements() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO stock_levels (sku, warehouse, on_hand, allocated)
    SELECT DISTINCT sku, warehouse, 0, 0 FROM moved ORDER BY sku, warehouse
    ON CONFLICT DO NOTHING;
    UPDATE stock_levels AS level
    SET on_hand = level.on_hand + change.on_hand, allocated = level.allocated + change.allocated
    FROM (
        SELECT sku, warehouse,
            sum(on_hand_delta)::bigint AS on_hand, sum(allocated_delta)::bigint AS allocated
        FROM moved GROUP BY sku, warehouse
    ) AS change
    WHERE level.sku = change.sku AND level.warehouse = change.warehouse;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION apply_stock_movements() FROM PUBLIC;
CREATE TRIGGER stock_movements_apply AFTER INSERT ON stock_movements
    REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION apply_stock_movements();
"""

HOLDS = """
CREATE TABLE reservations (
    id text PRIMARY KEY,
    cart_id text,
    order_id text REFERENCES orders,
    status text NOT NULL CONSTRAINT reservations_status
        CHECK (status IN ('planned', 'held', 'consumed', 'released', 'expired')),
    fenced boolean NOT NULL DEFAULT false,
    extended boolean NOT NULL DEFAULT false,
    minutes integer NOT NULL DEFAULT 0 CONSTRAINT reservations_minutes CHECK (minutes >= 0),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT reservations_consumed_by_order CHECK (status <> 'consumed' OR order_id IS NOT NULL)
);
COMMENT ON COLUMN reservations.fenced IS 'Closed for good: a late hold or allocation is refused.';
CREATE UNIQUE INDEX reservations_one_per_cart ON reservations (cart_id)
    WHERE order_id IS NULL AND status IN ('planned', 'held');
CREATE INDEX reservations_by_order ON reservations (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX reservations_due ON reservations (expires_at) WHERE status IN ('planned', 'held');

CREATE TABLE reservation_lines (
    reservation_id text NOT NULL REFERENCES reservations,
    line_no integer NOT NULL CONSTRAINT reservation_lines_line_no CHECK (line_no > 0),
    sku text NOT NULL REFERENCES variants,
    quantity integer NOT NULL CONSTRAINT reservation_lines_quantity CHECK (quantity > 0),
    PRIMARY KEY (reservation_id, line_no)
);

CREATE TABLE stock_holds (
    reservation_id text NOT NULL REFERENCES reservations,
    sku text NOT NULL REFERENCES stock_items,
    quantity bigint NOT NULL CONSTRAINT stock_holds_quantity CHECK (quantity > 0),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (reservation_id, sku)
);
COMMENT ON TABLE stock_holds IS 'What open reservations hold; a row counts until expires_at.';
CREATE INDEX stock_holds_by_sku ON stock_holds (sku, expires_at);

CREATE TABLE stock_allocations (
    order_id text NOT NULL,
    line_no integer NOT NULL,
    warehouse text NOT NULL,
    sku text NOT NULL,
    quantity bigint NOT NULL CONSTRAINT stock_allocations_quantity CHECK (quantity > 0),
    deducted bigint NOT NULL DEFAULT 0 CONSTRAINT stock_allocations_deducted CHECK (deducted >= 0),
    given_back bigint NOT NULL DEFAULT 0 CONSTRAINT stock_allocations_given_back CHECK (given_back >= 0),
    PRIMARY KEY (order_id, line_no, warehouse),
    CONSTRAINT stock_allocations_line_fkey FOREIGN KEY (order_id, line_no)
        REFERENCES order_lines (order_id, line_no),
    CONSTRAINT stock_allocations_level_fkey FOREIGN KEY (sku, warehouse)
        REFERENCES stock_levels (sku, warehouse),
    CONSTRAINT stock_allocations_balance CHECK (deducted + given_back <= quantity)
);
CREATE INDEX stock_allocations_by_level ON stock_allocations (sku, warehouse);
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE, DELETE
    ON stock_items, reservations, reservation_lines, stock_holds, stock_allocations TO commerce_app;
GRANT SELECT ON stock_levels TO commerce_app;
GRANT SELECT, INSERT ON stock_movements TO commerce_app;
GRANT SELECT
    ON stock_items, stock_levels, stock_movements, reservations, reservation_lines, stock_holds,
       stock_allocations
    TO commerce_readonly;
"""


def upgrade() -> None:
    for part in (LEVELS, HOLDS, RIGHTS):
        op.execute(part)
