"""Levels and the movements that make them."""

from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping, insert, select, text

from commerce.contracts.ids import new_id
from commerce.domain.errors import Conflict, NotFound
from commerce.domain.stock import Movement, StockLevel, WarehouseLevel
from commerce.persistence import cursors
from commerce.persistence.repositories.stock_locks import free_stock, lock_stock
from commerce.persistence.tables.catalogue import variants, warehouses
from commerce.persistence.tables.stock import stock_movements
from commerce.persistence.work import Work

_LEVELS = text(
    """
    SELECT variant.sku, level.warehouse, level.on_hand, level.allocated,
        COALESCE((
            SELECT sum(hold.quantity) FROM stock_holds AS hold
            WHERE hold.sku = variant.sku AND hold.expires_at > clock_timestamp()
        ), 0)::bigint AS held
    FROM variants AS variant LEFT JOIN stock_levels AS level ON level.sku = variant.sku
    WHERE variant.sku = ANY(CAST(:skus AS text[])) ORDER BY variant.sku, level.warehouse
    """
)
_ADD_ITEM = text(
    "INSERT INTO stock_items (sku) SELECT sku FROM variants WHERE sku = :sku ON CONFLICT DO NOTHING"
)


class StockLevels:
    def __init__(self, work: Work) -> None:
        self._work = work

    async def level(self, sku: str) -> StockLevel:
        levels = await self.levels([sku])
        if sku not in levels:
            raise NotFound("sku", sku)
        return levels[sku]

    async def levels(self, skus: Sequence[str]) -> Mapping[str, StockLevel]:
        grouped: dict[str, list[RowMapping]] = {}
        for row in await self._work.rows(_LEVELS, {"skus": list(skus)}):
            grouped.setdefault(row["sku"], []).append(row)
        return {sku: _level_of(sku, rows) for sku, rows in grouped.items()}

    async def move(self, sku: str, warehouse: str, delta: int, reason: str, key: str) -> Movement:
        await self._check_names(sku, warehouse)
        await self._work.run(_ADD_ITEM, {"sku": sku})
        await lock_stock(self._work, [sku])
        known = await self._work.first(select(stock_movements).where(stock_movements.c.key == key))
        if known is not None:
            return _movement_of(known)
        if delta < 0:
            await self._check_loss(sku, warehouse, -delta)
        row = await self._work.first(
            insert(stock_movements)
            .values(
                id=new_id("mov"),
                key=key,
                sku=sku,
                warehouse=warehouse,
                kind="receipt" if delta > 0 else "correction",
                on_hand_delta=delta,
                allocated_delta=0,
                reason=reason,
                actor=self._work.context.actor,
                request_id=self._work.context.request_id,
            )
            .returning(stock_movements)
        )
        if row is None:
            raise NotFound("movement", key)
        return _movement_of(row)

    async def _check_names(self, sku: str, warehouse: str) -> None:
        if await self._work.first(select(variants.c.sku).where(variants.c.sku == sku)) is None:
            raise NotFound("sku", sku)
        known = await self._work.first(select(warehouses.c.code).where(warehouses.c.code == warehouse))
        if known is None:
            raise NotFound("warehouse", warehouse)

    async def _check_loss(self, sku: str, warehouse: str, pieces: int) -> None:
        """What is promised, by allocation or live hold, cannot be taken away."""
        free = await free_stock(self._work, [sku], own="")
        here = free.by_warehouse.get(sku, {}).get(warehouse, 0)
        removable = max(min(here, free.available.get(sku, 0)), 0)
        if pieces > removable:
            raise Conflict(f"only {removable} unpromised pieces of {sku} are in {warehouse}")

    async def movements(
        self, sku: str, cursor: str | None, limit: int
    ) -> tuple[Sequence[Movement], str | None]:
        """Newest first."""
        statement = select(stock_movements).where(stock_movements.c.sku == sku)
        if cursor is not None:
            statement = statement.where(stock_movements.c.seq < cursors.decode_seq(cursor))
        rows = await self._work.rows(statement.order_by(stock_movements.c.seq.desc()).limit(limit + 1))
        more = cursors.encode(rows[limit - 1]["seq"]) if len(rows) > limit else None
        return [_movement_of(row) for row in rows[:limit]], more


def _level_of(sku: str, rows: Sequence[RowMapping]) -> StockLevel:
    per_warehouse = [
        WarehouseLevel(row["warehouse"], row["on_hand"], row["allocated"])
        for row in rows
        if row["warehouse"] is not None
    ]
    on_hand = sum(level.on_hand for level in per_warehouse)
    allocated = sum(level.allocated for level in per_warehouse)
    held: int = rows[0]["held"]
    return StockLevel(sku, on_hand, allocated, held, on_hand - allocated - held, per_warehouse)


def _movement_of(row: RowMapping) -> Movement:
    return Movement(
        id=row["id"],
        sku=row["sku"],
        warehouse=row["warehouse"],
        kind=row["kind"],
        on_hand_delta=row["on_hand_delta"],
        allocated_delta=row["allocated_delta"],
        reason=row["reason"],
        order_id=row["order_id"],
        at=row["at"],
    )
