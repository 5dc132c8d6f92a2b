"""The double-entry ledger of money: appended to, never changed, every transaction summing to zero."""

from alembic import op

revision = "0004"
down_revision = "0003"

LEDGER = """
CREATE TABLE ledger_transactions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL CONSTRAINT ledger_transactions_key_key UNIQUE,
    kind text NOT NULL,
    order_id text NOT NULL,
    currency text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    request_id text NOT NULL,
    CONSTRAINT ledger_transactions_order_fkey FOREIGN KEY (order_id, currency)
        REFERENCES orders (id, currency)
);
CREATE INDEX ledger_transactions_by_order ON ledger_transactions (order_id);

CREATE TABLE ledger_postings (
    transaction_id bigint NOT NULL REFERENCES ledger_transactions,
    position integer NOT NULL,
    account text NOT NULL,
    amount bigint NOT NULL CONSTRAINT ledger_postings_amount CHECK (amount <> 0),
    PRIMARY KEY (transaction_id, position)
);
CREATE INDEX ledger_postings_by_account ON ledger_postings (account);
COMMENT ON COLUMN ledger_postings.amount IS 'Minor units: debits positive, credits negative.';
"""

BALANCE = """
CREATE FUNCTION check_ledger_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint := CASE TG_TABLE_NAME
        WHEN 'ledger_transactions' THEN (to_jsonb(NEW) ->> 'id')::bigint
        ELSE (to_jsonb(NEW) ->> 'transaction_id')::bigint END;
    balance numeric;
BEGIN
    SELECT sum(amount) INTO balance FROM ledger_postings WHERE transaction_id = checked;
    IF balance IS DISTINCT FROM 0 THEN
        RAISE EXCEPTION 'ledger transaction % sums to %', checked, balance
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balanced';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_transactions_balanced AFTER INSERT OR UPDATE ON ledger_transactions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_balance();
CREATE CONSTRAINT TRIGGER ledger_postings_balanced AFTER INSERT OR UPDATE ON ledger_postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_balance();
"""

RIGHTS = """
GRANT SELECT, INSERT ON ledger_transactions, ledger_postings TO commerce_app;
GRANT SELECT ON ledger_transactions, ledger_postings TO commerce_readonly;
"""


def upgrade() -> None:
    for part in (LEDGER, BALANCE, RIGHTS):
        op.execute(part)
