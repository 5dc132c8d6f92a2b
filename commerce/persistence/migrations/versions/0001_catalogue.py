"""Products, their variants and prices; warehouses; what sending and tax cost."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE products (
    id text PRIMARY KEY,
    slug text NOT NULL CONSTRAINT products_slug_key UNIQUE,
    title text NOT NULL,
    description text NOT NULL DEFAULT '',
    categories text[] NOT NULL DEFAULT '{}',
    tags text[] NOT NULL DEFAULT '{}',
    archived boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1 CONSTRAINT products_version CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    search tsvector GENERATED ALWAYS AS (to_tsvector('english', title || ' ' || description)) STORED
);
CREATE INDEX products_by_title ON products (title, id) WHERE NOT archived;
CREATE INDEX products_by_age ON products (created_at, id) WHERE NOT archived;
CREATE INDEX products_by_category ON products USING gin (categories);
CREATE INDEX products_by_tag ON products USING gin (tags);
CREATE INDEX products_by_word ON products USING gin (search);

CREATE TABLE variants (
    sku text PRIMARY KEY,
    product_id text NOT NULL REFERENCES products,
    position integer NOT NULL,
    options jsonb NOT NULL DEFAULT '{}',
    tax_class text NOT NULL DEFAULT 'standard',
    for_sale boolean NOT NULL DEFAULT true
);
CREATE INDEX variants_by_product ON variants (product_id, position);

CREATE TABLE prices (
    sku text NOT NULL REFERENCES variants,
    currency text NOT NULL CONSTRAINT prices_currency CHECK (currency ~ '^[A-Z]{3}$'),
    amount bigint NOT NULL CONSTRAINT prices_amount CHECK (amount >= 0),
    compare_at bigint CONSTRAINT prices_compare_at CHECK (compare_at >= 0),
    PRIMARY KEY (sku, currency)
);
CREATE INDEX prices_by_amount ON prices (currency, amount);

CREATE TABLE shipping_methods (
    code text PRIMARY KEY,
    title text NOT NULL
);

CREATE TABLE shipping_rates (
    method text NOT NULL REFERENCES shipping_methods,
    country text NOT NULL CONSTRAINT shipping_rates_country CHECK (country ~ '^([A-Z]{2}|[*])$'),
    currency text NOT NULL CONSTRAINT shipping_rates_currency CHECK (currency ~ '^[A-Z]{3}$'),
    amount bigint NOT NULL CONSTRAINT shipping_rates_amount CHECK (amount >= 0),
    per_units integer CONSTRAINT shipping_rates_per_units CHECK (per_units > 0),
    PRIMARY KEY (method, country, currency)
);

CREATE TABLE tax_rates (
    country text NOT NULL CONSTRAINT tax_rates_country CHECK (country ~ '^([A-Z]{2}|[*])$'),
    tax_class text NOT NULL,
    basis_points integer NOT NULL CONSTRAINT tax_rates_range CHECK (basis_points BETWEEN 0 AND 10000),
    PRIMARY KEY (country, tax_class)
);

CREATE TABLE warehouses (
    code text PRIMARY KEY,
    name text NOT NULL
);
"""

RIGHTS = """
GRANT USAGE ON SCHEMA public TO commerce_app, commerce_readonly;
GRANT SELECT ON alembic_version TO commerce_app, commerce_readonly;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON products, variants, prices, shipping_methods, shipping_rates, tax_rates, warehouses TO commerce_app;
GRANT SELECT
    ON products, variants, prices, shipping_methods, shipping_rates, tax_rates, warehouses
    TO commerce_readonly;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(RIGHTS)
