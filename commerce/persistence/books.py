"""Money per order as payments and ledger have it, to be held against a provider's own books."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from commerce.persistence.engine import create_engine
from commerce.persistence.errors import database_errors

_MONEY = text("""
    WITH booked AS (
        SELECT order_id,
            COALESCE(sum(amount) FILTER (WHERE kind = 'captured'), 0)::bigint AS captured,
            COALESCE(-sum(amount) FILTER (WHERE kind <> 'captured'), 0)::bigint AS refunded
        FROM ledger_transactions JOIN ledger_postings ON transaction_id = ledger_transactions.id
        WHERE account = 'clearing:' || CAST(:provider AS text) GROUP BY order_id
    ), paid AS (
        SELECT order_id, currency, sum(captured)::bigint AS captured, sum(refunded)::bigint AS refunded
        FROM payments WHERE provider = :provider GROUP BY order_id, currency
    )
    SELECT paid.order_id, paid.currency, paid.captured, paid.refunded,
        COALESCE(booked.captured, 0) AS ledger_captured, COALESCE(booked.refunded, 0) AS ledger_refunded
    FROM paid LEFT JOIN booked USING (order_id)
    ORDER BY paid.order_id
""")


@dataclass(frozen=True)
class OrderMoney:
    """Sums over an order's payments at one provider, and what the ledger says of them; minor units."""

    order_id: str
    currency: str
    captured: int
    refunded: int
    ledger_captured: int
    ledger_refunded: int


async def money_by_order(url: str, provider: str) -> Sequence[OrderMoney]:
    """One entry per order that was ever to be paid at this provider. Raises ProviderUnavailable."""
    engine = create_engine(url, pool_size=1, application_name="commerce-books")
    try:
        with database_errors():
            async with engine.connect() as connection:
                rows = (await connection.execute(_MONEY, {"provider": provider})).mappings().all()
    finally:
        await engine.dispose()
    return [OrderMoney(**row) for row in rows]
