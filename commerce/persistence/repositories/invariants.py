"""What must hold in the books at any time; each check answers its offenders and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from commerce.domain.messaging import InvariantResult
from commerce.persistence.work import Work

_MOST_ROWS = 100


@dataclass(frozen=True)
class _Check:
    name: str
    area: str
    offenders: str


_MONEY = (
    _Check(
        "ledger_sums_to_zero",
        "money",
        """
        SELECT entry.key, entry.order_id, entry.currency, COALESCE(sum(posting.amount), 0)::bigint AS sum
        FROM ledger_transactions AS entry LEFT JOIN ledger_postings AS posting ON transaction_id = entry.id
        GROUP BY entry.id HAVING sum(posting.amount) IS DISTINCT FROM 0
        """,
    ),
    _Check(
        "captured_within_authorised",
        "money",
        "SELECT id, order_id, authorised, captured FROM payments WHERE captured > authorised",
    ),
    _Check(
        "refunded_within_captured",
        "money",
        "SELECT id, order_id, captured, refunded FROM payments WHERE refunded > captured",
    ),
    _Check(
        "refunds_sum_to_refunded",
        "money",
        """
        SELECT payment.id, payment.order_id, payment.refunded,
            COALESCE(sum(refund.amount), 0)::bigint AS refunds
        FROM payments AS payment
        LEFT JOIN refunds AS refund ON refund.payment_id = payment.id AND refund.status = 'succeeded'
        GROUP BY payment.id HAVING COALESCE(sum(refund.amount), 0) <> payment.refunded
        """,
    ),
    _Check(
        "ledger_equals_payments",
        "money",
        """
        WITH booked AS (
            SELECT order_id,
                COALESCE(sum(amount) FILTER (WHERE kind = 'captured'), 0)::bigint AS captured,
                COALESCE(-sum(amount) FILTER (WHERE kind <> 'captured'), 0)::bigint AS refunded
            FROM ledger_transactions JOIN ledger_postings ON transaction_id = ledger_transactions.id
            WHERE account LIKE 'clearing:%' GROUP BY order_id
        ), paid AS (
            SELECT order_id, sum(captured)::bigint AS captured, sum(refunded)::bigint AS refunded
            FROM payments GROUP BY order_id
        )
        SELECT order_id, paid.captured, COALESCE(booked.captured, 0) AS ledger_captured,
            paid.refunded, COALESCE(booked.refunded, 0) AS ledger_refunded
        FROM paid LEFT JOIN booked USING (order_id)
        WHERE paid.captured <> COALESCE(booked.captured, 0)
            OR paid.refunded <> COALESCE(booked.refunded, 0)
        """,
    ),
    _Check(
        "one_live_payment_per_order",
        "money",
        """
        SELECT order_id, count(*) AS payments FROM payments
        WHERE status NOT IN ('declined', 'voided') GROUP BY order_id HAVING count(*) > 1
        """,
    ),
    _Check(
        "one_currency_per_order",
        "money",
        """
        SELECT orders.id AS order_id, orders.currency, other.id, other.currency AS other_currency
        FROM orders JOIN (
            SELECT id, order_id, currency FROM payments
            UNION ALL SELECT id, order_id, currency FROM refunds
            UNION ALL SELECT key, order_id, currency FROM ledger_transactions
        ) AS other ON other.order_id = orders.id
        WHERE other.currency <> orders.currency
        """,
    ),
)

_ORDERS = (
    _Check(
        "lines_sum_to_order",
        "orders",
        """
        SELECT orders.id, orders.subtotal, orders.discount, orders.shipping, orders.total,
            COALESCE(sum(line.total), 0)::bigint AS lines_total
        FROM orders LEFT JOIN order_lines AS line ON line.order_id = orders.id
        GROUP BY orders.id
        HAVING (COALESCE(sum(line.subtotal), 0), COALESCE(sum(line.discount), 0),
                COALESCE(sum(line.total), 0) + orders.shipping)
            IS DISTINCT FROM (orders.subtotal::numeric, orders.discount::numeric, orders.total::numeric)
        """,
    ),
    _Check(
        "cancelled_order_holds_nothing",
        "orders",
        """
        SELECT orders.id, money.live AS money, COALESCE(promised.pieces, 0)::bigint AS allocated,
            COALESCE(held.pieces, 0)::bigint AS held
        FROM orders
        CROSS JOIN LATERAL (
            SELECT COALESCE(sum(CASE WHEN payment.captured > 0
                THEN payment.captured - (
                    SELECT COALESCE(sum(refund.amount), 0) FROM refunds AS refund
                    WHERE refund.payment_id = payment.id AND refund.status <> 'failed')
                WHEN payment.status IN ('authorised', 'processing', 'requires_action')
                THEN payment.amount ELSE 0 END), 0)::bigint AS live
            FROM payments AS payment WHERE payment.order_id = orders.id
        ) AS money
        LEFT JOIN LATERAL (
            SELECT sum(quantity - deducted - given_back) AS pieces
            FROM stock_allocations WHERE order_id = orders.id
        ) AS promised ON true
        LEFT JOIN LATERAL (
            SELECT sum(hold.quantity) AS pieces FROM stock_holds AS hold
            JOIN reservations ON reservations.id = hold.reservation_id
            WHERE reservations.order_id = orders.id AND hold.expires_at > clock_timestamp()
        ) AS held ON true
        WHERE orders.order_state = 'cancelled'
            AND orders.changed_at < clock_timestamp() - interval '1 minute'
            AND (money.live <> 0 OR COALESCE(promised.pieces, 0) <> 0 OR COALESCE(held.pieces, 0) <> 0)
        """,
    ),
    _Check(
        "confirmed_order_is_paid",
        "orders",
        """
        SELECT id, total, payment_state FROM orders
        WHERE order_state IN ('confirmed', 'completed') AND total > 0 AND (
            payment_state IN ('none', 'failed') OR NOT EXISTS (
                SELECT FROM payments WHERE order_id = orders.id
                    AND authorised >= orders.total AND status IN ('authorised', 'captured')))
        """,
    ),
    _Check(
        "pending_order_has_workflow",
        "orders",
        """
        SELECT id, created_at FROM orders
        WHERE order_state = 'pending' AND started_at IS NULL
            AND created_at < clock_timestamp() - interval '1 minute'
        """,
    ),
)

_STOCK = (
    _Check(
        "levels_equal_movements",
        "stock",
        """
        SELECT sku, warehouse, level.on_hand, level.allocated,
            moved.on_hand AS moved_on_hand, moved.allocated AS moved_allocated
        FROM stock_levels AS level
        FULL JOIN (
            SELECT sku, warehouse, sum(on_hand_delta)::bigint AS on_hand,
                sum(allocated_delta)::bigint AS allocated
            FROM stock_movements GROUP BY sku, warehouse
        ) AS moved USING (sku, warehouse)
        WHERE (level.on_hand, level.allocated) IS DISTINCT FROM (moved.on_hand, moved.allocated)
        """,
    ),
    _Check(
        "allocated_equals_allocations",
        "stock",
        """
        SELECT sku, warehouse, level.allocated, COALESCE(promised.pieces, 0)::bigint AS promised
        FROM stock_levels AS level
        LEFT JOIN (
            SELECT sku, warehouse, sum(quantity - deducted - given_back) AS pieces
            FROM stock_allocations GROUP BY sku, warehouse
        ) AS promised USING (sku, warehouse)
        WHERE level.allocated <> COALESCE(promised.pieces, 0)
        """,
    ),
    _Check(
        "nothing_oversold",
        "stock",
        """
        SELECT sku, stock.on_hand, stock.allocated, COALESCE(held.pieces, 0)::bigint AS held
        FROM (
            SELECT sku, sum(on_hand)::bigint AS on_hand, sum(allocated)::bigint AS allocated,
                min(on_hand) AS lowest, min(on_hand - allocated) AS lowest_free
            FROM stock_levels GROUP BY sku
        ) AS stock
        LEFT JOIN (
            SELECT sku, sum(quantity) AS pieces FROM stock_holds
            WHERE expires_at > clock_timestamp() GROUP BY sku
        ) AS held USING (sku)
        WHERE lowest < 0 OR lowest_free < 0
            OR stock.allocated + COALESCE(held.pieces, 0) > stock.on_hand
        """,
    ),
)

_MESSAGES = (
    _Check(
        "told_webhook_was_seen",
        "messages",
        """
        SELECT provider, event_id, kind, order_id, told_at, outcome FROM inbox
        WHERE told_at < clock_timestamp() - interval '2 minutes' AND seen_at IS NULL
        """,
    ),
    _Check(
        "outbox_is_published",
        "messages",
        """
        SELECT id, kind, topic, key, attempts, last_error FROM outbox
        WHERE published_at IS NULL AND occurred_at < clock_timestamp() - interval '2 minutes'
        """,
    ),
)

CHECKS = (*_MONEY, *_ORDERS, *_STOCK, *_MESSAGES)


class SqlInvariants:
    def __init__(self, work: Work) -> None:
        self._work = work

    async def check(self) -> Sequence[InvariantResult]:
        """All checks, each with at most a hundred offenders."""
        return [await self._check(check) for check in CHECKS]

    async def _check(self, check: _Check) -> InvariantResult:
        rows = await self._work.rows(text(f"{check.offenders} LIMIT {_MOST_ROWS}"))
        offenders = [{name: _plain(value) for name, value in row.items()} for row in rows]
        return InvariantResult(check.name, check.area, not offenders, offenders)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
