"""Every invariant holds for an honest shop, and names the offender once its rule is broken on purpose."""

import pytest
from integration.persistence.builders import CONTEXT, CUP, TEA, create_order, facts, hold_lines
from integration.persistence.test_messages import event, message
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from commerce.contracts.statuses import OrderState, PaymentState, PaymentStatus, RefundStatus
from commerce.domain import ledger
from commerce.domain.messaging import InvariantResult
from commerce.domain.orders import NewRefund, Order
from commerce.persistence.database import SqlDatabase
from commerce.persistence.engine import create_engine
from commerce.persistence.repositories.invariants import CHECKS, SqlInvariants
from commerce.persistence.work import Work
from devstack.testing import Database

LONG_AGO = "now() - interval '1 hour'"

DROP = "ALTER TABLE {} DROP CONSTRAINT {}"
BREAKS: dict[str, list[str]] = {
    "ledger_sums_to_zero": [
        "ALTER TABLE ledger_postings DISABLE TRIGGER USER",
        "UPDATE ledger_postings SET amount = amount + 1 WHERE account = 'tax' AND amount = -250",
    ],
    "captured_within_authorised": [
        DROP.format("payments", "payments_captured"),
        "UPDATE payments SET captured = 1501",
    ],
    "refunded_within_captured": [
        DROP.format("payments", "payments_refunded"),
        "UPDATE payments SET refunded = 1501",
    ],
    "refunds_sum_to_refunded": ["UPDATE payments SET refunded = 251"],
    "ledger_equals_payments": ["UPDATE payments SET captured = 1499"],
    "one_live_payment_per_order": [
        "DROP INDEX payments_one_live_per_order",
        """
        INSERT INTO payments (id, order_id, provider, currency, amount, livemode)
        SELECT 'pay_2', id, 'stripe', 'GBP', 1500, false FROM orders
        """,
    ],
    "one_currency_per_order": [
        DROP.format("payments", "payments_order_fkey"),
        DROP.format("refunds", "refunds_payment_fkey"),
        "UPDATE payments SET currency = 'EUR'",
    ],
    "lines_sum_to_order": [
        DROP.format("order_lines", "order_lines_total"),
        "UPDATE order_lines SET total = total - 1 WHERE line_no = 2",
    ],
    "cancelled_order_holds_nothing": [
        f"UPDATE orders SET order_state = 'cancelled', changed_at = {LONG_AGO}",
    ],
    "confirmed_order_is_paid": ["UPDATE orders SET payment_state = 'failed'"],
    "pending_order_has_workflow": [
        f"UPDATE orders SET order_state = 'pending', created_at = {LONG_AGO}",
    ],
    "levels_equal_movements": ["UPDATE stock_levels SET on_hand = on_hand + 1 WHERE warehouse = 'north'"],
    "allocated_equals_allocations": [
        "UPDATE stock_allocations SET given_back = quantity WHERE sku = 'TEA-1'",
    ],
    "nothing_oversold": ["UPDATE stock_holds SET quantity = 13 WHERE sku = 'TEA-1'"],
    "told_webhook_was_seen": [f"UPDATE inbox SET told_at = {LONG_AGO}, seen_at = NULL"],
    "outbox_is_published": [f"UPDATE outbox SET occurred_at = {LONG_AGO}"],
}
OFFENDERS: dict[str, list[dict[str, object]]] = {
    "captured_within_authorised": [
        {"id": "{payment}", "order_id": "{order}", "authorised": 1500, "captured": 1501}
    ],
    "ledger_equals_payments": [
        {
            "order_id": "{order}",
            "captured": 1499,
            "ledger_captured": 1500,
            "refunded": 250,
            "ledger_refunded": 250,
        }
    ],
    "cancelled_order_holds_nothing": [{"id": "{order}", "money": 1250, "allocated": 3, "held": 0}],
    "levels_equal_movements": [
        {
            "sku": TEA,
            "warehouse": "north",
            "on_hand": 5,
            "allocated": 0,
            "moved_on_hand": 4,
            "moved_allocated": 0,
        }
    ],
    "nothing_oversold": [{"sku": TEA, "on_hand": 14, "allocated": 2, "held": 13}],
}


async def honest_order(db: SqlDatabase) -> Order:
    """Placed, captured, partly refunded and told; another cart holds two pieces of TEA."""
    order = await create_order(db)
    lines = hold_lines((TEA, 2), (CUP, 1))
    async with db.transaction(CONTEXT) as tx:
        payment = await tx.payments.record(
            order.payment_id, facts(PaymentStatus.CAPTURED, authorised=1500, captured=1500)
        )
        await tx.ledger.post(ledger.authorised(payment))
        await tx.ledger.post(ledger.captured(payment, 1500, 250))
        await tx.orders.move(order.id, order=OrderState.CONFIRMED, payment=PaymentState.CAPTURED)
        await tx.payments.create_refund(NewRefund("rfd_1", order.id, order.payment_id, 250, "broken"))
        refund = await tx.payments.record_refund("rfd_1", RefundStatus.SUCCEEDED, "re_1", None)
        await tx.ledger.post(ledger.refunded(payment, refund, 42))
        await tx.outbox.add(message("e1"))
        await tx.inbox.store(event("e1"))
        await tx.inbox.mark_told("e1", "signalled", seen=False)
        await tx.stock.hold("r1", lines, 60, cart_id="c", order_id=order.id)
        await tx.stock.allocate("r1", order.id, lines)
        await tx.stock.hold("r2", hold_lines((TEA, 2)), 60, cart_id="c2", order_id=None)
    return order


async def check(connection: AsyncConnection) -> dict[str, InvariantResult]:
    results = await SqlInvariants(Work(connection, CONTEXT)).check()
    return {result.name: result for result in results}


def test_every_invariant_is_broken_by_a_test() -> None:
    assert set(BREAKS) == {check.name for check in CHECKS}


async def test_an_honest_shop_holds_every_invariant(db: SqlDatabase) -> None:
    await honest_order(db)
    async with db.reading() as tx:
        results = await tx.invariants.check()
    assert [(result.name, result.rows) for result in results if not result.ok] == []
    assert {result.area for result in results} == {"money", "orders", "stock", "messages"}


@pytest.mark.parametrize("name", BREAKS)
async def test_a_broken_invariant_names_its_offender(database: Database, db: SqlDatabase, name: str) -> None:
    order = await honest_order(db)
    owner = create_engine(database.owner_url)
    async with owner.connect() as connection:
        for statement in BREAKS[name]:
            await connection.execute(text(statement))
        result = (await check(connection))[name]
        await connection.rollback()
        assert all(result.ok for result in (await check(connection)).values())
    await owner.dispose()
    assert not result.ok
    assert len(result.rows) == 1
    if name in OFFENDERS:
        names = {"{order}": order.id, "{payment}": order.payment_id}
        expected = [
            {key: names.get(str(value), value) for key, value in row.items()} for row in OFFENDERS[name]
        ]
        assert result.rows == expected


async def test_young_messages_and_fresh_cancellations_are_given_time(
    database: Database, db: SqlDatabase
) -> None:
    await honest_order(db)
    owner = create_engine(database.owner_url)
    async with owner.begin() as connection:
        await connection.execute(text("UPDATE orders SET order_state = 'cancelled', changed_at = now()"))
        await connection.execute(text("UPDATE inbox SET told_at = now(), seen_at = NULL"))
    async with owner.connect() as connection:
        assert all(result.ok for result in (await check(connection)).values())
    await owner.dispose()
