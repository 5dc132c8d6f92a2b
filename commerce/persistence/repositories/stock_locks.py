"""Locks of stock, and what is free under them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sqlalchemy import text

from commerce.persistence.work import Work

_LOCK = text(
    "SELECT sku FROM stock_items WHERE sku = ANY(CAST(:skus AS text[])) ORDER BY sku FOR NO KEY UPDATE"
)
_FREE = text(
    """
    SELECT level.sku, level.warehouse, level.on_hand - level.allocated AS free,
        COALESCE((
            SELECT sum(hold.quantity) FROM stock_holds AS hold
            WHERE hold.sku = level.sku AND hold.expires_at > clock_timestamp()
                AND hold.reservation_id <> :own
        ), 0)::bigint AS held
    FROM stock_levels AS level WHERE level.sku = ANY(CAST(:skus AS text[]))
    """
)


@dataclass(frozen=True)
class FreeStock:
    """`available` by SKU, live holds taken off; `by_warehouse` does not know of holds."""

    available: dict[str, int] = field(default_factory=dict)
    by_warehouse: dict[str, dict[str, int]] = field(default_factory=dict)


async def lock_stock(work: Work, skus: Iterable[str]) -> None:
    """In SKU order. What is read afterwards, by a statement of its own, is the latest."""
    await work.run(_LOCK, {"skus": sorted(set(skus))})


async def free_stock(work: Work, skus: Collection[str], *, own: str) -> FreeStock:
    """`own` is the reservation whose hold does not count."""
    free = FreeStock()
    rows = await work.rows(_FREE, {"skus": sorted(set(skus)), "own": own})
    for row in rows:
        free.by_warehouse.setdefault(row["sku"], {})[row["warehouse"]] = row["free"]
    held = {row["sku"]: row["held"] for row in rows}
    for sku, warehouses in free.by_warehouse.items():
        free.available[sku] = sum(warehouses.values()) - held[sku]
    return free
