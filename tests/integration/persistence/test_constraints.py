"""The last line of defence: what the database refuses, whoever writes."""

import psycopg
import pytest
from integration.persistence.test_invariants import honest_order
from psycopg.errors import CheckViolation, ForeignKeyViolation, UniqueViolation

from commerce.persistence.database import SqlDatabase

COPY_ORDER = (
    "INSERT INTO orders (id, payment_id, cart_id, email, shipping_address, shipping_method, currency,"
    " subtotal, discount, shipping, tax, total, provider, livemode, locale, request_id, actor)"
    " SELECT 'ord_x', 'pay_x', {cart}, email, shipping_address, shipping_method, currency,"
    " subtotal, discount, shipping, tax, total, provider, livemode, locale, request_id, actor FROM orders"
)
MOVE = (
    "INSERT INTO stock_movements"
    " (id, key, sku, warehouse, kind, on_hand_delta, allocated_delta, reason, actor, request_id)"
    " VALUES ('m', '{key}', 'CUP-1', 'main', 'correction', {delta}, 0, '', '', '')"
)
PAY_AGAIN = (
    "INSERT INTO payments (id, order_id, provider, currency, amount, livemode)"
    " SELECT 'pay_x', id, 'paypal', 'GBP', 1, false FROM orders"
)
BOOK_AGAIN = (
    "INSERT INTO ledger_transactions (key, kind, order_id, currency, actor, request_id)"
    " SELECT 'refund:rfd_1', 'refunded', id, 'GBP', '', '' FROM orders"
)
REFUSED = {
    CheckViolation: [
        "UPDATE prices SET amount = -1",
        "UPDATE prices SET currency = 'gbp'",
        "UPDATE tax_rates SET basis_points = 10001",
        "UPDATE shipping_rates SET country = 'England'",
        "UPDATE orders SET total = total + 1",
        "UPDATE orders SET tax = total + 1",
        "UPDATE orders SET discount = -1, total = total + 1",
        "UPDATE orders SET order_state = 'odd'",
        "UPDATE orders SET status = 'processing'",
        "UPDATE order_lines SET quantity = quantity + 1",
        "UPDATE order_lines SET quantity = 0, subtotal = 0, total = 0, tax = 0",
        "UPDATE payments SET captured = authorised + 1",
        "UPDATE payments SET refunded = captured + 1",
        "UPDATE payments SET status = 'odd'",
        "UPDATE refunds SET amount = 0",
        "UPDATE stock_levels SET on_hand = -1, allocated = -1",
        "UPDATE stock_levels SET allocated = on_hand + 1",
        "UPDATE stock_holds SET quantity = 0",
        "UPDATE stock_allocations SET deducted = quantity + 1",
        MOVE.format(key="m", delta=-6),
        "UPDATE inbox SET told_at = NULL, seen_at = now()",
    ],
    UniqueViolation: [
        COPY_ORDER.format(cart="cart_id"),
        PAY_AGAIN,
        "INSERT INTO inbox (provider, event_id, kind, data) VALUES ('stripe', 'e1', '', '{}')",
        BOOK_AGAIN,
        MOVE.format(key="opening:CUP-1:main", delta=1),
    ],
    ForeignKeyViolation: [
        "UPDATE payments SET currency = 'EUR'",
        "UPDATE refunds SET currency = 'EUR'",
        "UPDATE ledger_transactions SET currency = 'EUR'",
        "DELETE FROM variants",
        COPY_ORDER.format(cart="'cart_x'"),
    ],
}
CASES = [(error, act) for error, acts in REFUSED.items() for act in acts]


async def test_the_database_refuses_what_must_never_be(db: SqlDatabase, owner: psycopg.Connection) -> None:
    await honest_order(db)
    owner.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for error, act in CASES:
        with pytest.raises(error), owner.transaction():
            assert owner.execute(act).rowcount > 0, act


async def test_a_price_may_be_free_and_an_order_delivered(db: SqlDatabase, owner: psycopg.Connection) -> None:
    """The constraints leave room for what is allowed."""
    await honest_order(db)
    for act in (
        "UPDATE prices SET amount = 0",
        "UPDATE orders SET order_state = 'completed', fulfilment_state = 'delivered', status = 'Delivered'",
        "UPDATE payments SET refunded = captured",
        "UPDATE stock_allocations SET deducted = quantity",
    ):
        assert owner.execute(act).rowcount > 0
