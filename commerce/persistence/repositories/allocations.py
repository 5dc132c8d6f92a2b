"""Allocations: stock promised to an order, per warehouse, until it leaves the house or is given back.

Locks: the order's row, the reservation's row, then the stock rows in SKU order.
"""

from collections.abc import Sequence

from sqlalchemy import RowMapping, text

from commerce.contracts.ids import new_id
from commerce.contracts.statuses import ReservationStatus
from commerce.domain.allocation import choose_warehouses, shortages
from commerce.domain.errors import Fenced, NotFound
from commerce.domain.orders import ShipmentLine
from commerce.domain.stock import HoldLine, HoldResult
from commerce.persistence.repositories.stock_locks import free_stock, lock_stock
from commerce.persistence.work import Work

_LOCK_ORDER = text("SELECT id FROM orders WHERE id = :order_id FOR NO KEY UPDATE")
_OPEN = text(
    """
    INSERT INTO reservations (id, order_id, status, expires_at)
    VALUES (:id, :order_id, 'planned', clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET order_id = COALESCE(reservations.order_id, excluded.order_id)
    RETURNING status, fenced, order_id, expires_at
    """
)
_ALLOCATIONS = text(
    """
    SELECT line_no, sku, warehouse, quantity, deducted, given_back,
        quantity - deducted - given_back AS open
    FROM stock_allocations WHERE order_id = :order_id ORDER BY line_no, warehouse
    """
)
_ALLOCATE = text(
    """
    WITH part AS (
        SELECT * FROM unnest(
            CAST(:ids AS text[]), CAST(:line_nos AS int[]), CAST(:skus AS text[]),
            CAST(:quantities AS int[]), CAST(:warehouses AS text[])
        ) AS part (id, line_no, sku, quantity, warehouse)
    ), moved AS (
        INSERT INTO stock_movements (id, key, sku, warehouse, kind, on_hand_delta, allocated_delta,
                                     reason, order_id, actor, request_id)
        SELECT id, concat_ws(':', 'allocate', CAST(:order_id AS text), line_no, warehouse), sku, warehouse,
            'allocate', 0, quantity, 'order placed', :order_id, :actor, :request_id
        FROM part ORDER BY sku, warehouse
    ), promised AS (
        INSERT INTO stock_allocations (order_id, line_no, warehouse, sku, quantity)
        SELECT :order_id, line_no, warehouse, sku, quantity FROM part
    ), dropped AS (
        DELETE FROM stock_holds WHERE reservation_id = :reservation_id
    )
    UPDATE reservations SET status = 'consumed' WHERE id = :reservation_id
    """
)
_DEALLOCATE = text(
    """
    WITH part AS (
        SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:line_nos AS int[]), CAST(:warehouses AS text[]))
            AS part (id, line_no, warehouse)
    ), moved AS (
        INSERT INTO stock_movements (id, key, sku, warehouse, kind, on_hand_delta, allocated_delta,
                                     reason, order_id, actor, request_id)
        SELECT part.id, concat_ws(':', 'deallocate', CAST(:order_id AS text), line_no, warehouse),
            sku, warehouse, 'deallocate', 0, deducted + given_back - quantity, 'order cancelled', :order_id,
            :actor, :request_id
        FROM stock_allocations JOIN part USING (line_no, warehouse)
        WHERE order_id = :order_id ORDER BY sku, warehouse
    )
    UPDATE stock_allocations SET given_back = quantity - deducted
    FROM part
    WHERE order_id = :order_id AND stock_allocations.line_no = part.line_no
        AND stock_allocations.warehouse = part.warehouse
    """
)
_DEDUCTED = text("SELECT id FROM stock_movements WHERE shipment_id = :shipment_id LIMIT 1")
_DEDUCT = text(
    """
    WITH part AS (
        SELECT * FROM unnest(
            CAST(:ids AS text[]), CAST(:line_nos AS int[]), CAST(:skus AS text[]),
            CAST(:quantities AS int[]), CAST(:warehouses AS text[])
        ) AS part (id, line_no, sku, quantity, warehouse)
    ), moved AS (
        INSERT INTO stock_movements (id, key, sku, warehouse, kind, on_hand_delta, allocated_delta,
                                     reason, order_id, shipment_id, actor, request_id)
        SELECT id, concat_ws(':', 'deduct', CAST(:shipment_id AS text), line_no, warehouse), sku, warehouse,
            'deduct', -quantity, -quantity, 'parcel handed over', :order_id, :shipment_id,
            :actor, :request_id
        FROM part ORDER BY sku, warehouse
    )
    UPDATE stock_allocations AS promised SET deducted = deducted + part.quantity
    FROM part
    WHERE promised.order_id = :order_id AND promised.line_no = part.line_no
        AND promised.warehouse = part.warehouse
    """
)


class Allocations:
    def __init__(self, work: Work) -> None:
        self._work = work

    async def allocate(self, reservation_id: str, order_id: str, lines: Sequence[HoldLine]) -> HoldResult:
        """Raises Fenced when the reservation was closed or the order gave its stock back."""
        await self._work.run(_LOCK_ORDER, {"order_id": order_id})
        row = await self._work.first(_OPEN, {"id": reservation_id, "order_id": order_id})
        if row is None:
            raise NotFound("reservation", reservation_id)
        promised = await self._rows(order_id)
        if row["fenced"] or any(part["given_back"] for part in promised) or row["order_id"] != order_id:
            raise Fenced(f"reservation {reservation_id} is closed for order {order_id}")
        if promised or row["status"] == ReservationStatus.CONSUMED:
            return HoldResult(reservation_id, row["expires_at"])
        return await self._allocate(reservation_id, order_id, lines)

    async def _allocate(self, reservation_id: str, order_id: str, lines: Sequence[HoldLine]) -> HoldResult:
        skus = {line.sku for line in lines}
        await lock_stock(self._work, skus)
        free = await free_stock(self._work, skus, own=reservation_id)
        short = shortages(lines, free.available)
        if short:
            return HoldResult(reservation_id, None, short)
        parts = choose_warehouses(lines, free.by_warehouse)
        await self._work.run(
            _ALLOCATE, {"order_id": order_id, "reservation_id": reservation_id, **self._columns(parts)}
        )
        return HoldResult(reservation_id, None)

    async def allocations(self, order_id: str) -> Sequence[ShipmentLine]:
        """What is promised and has neither left the house nor been given back."""
        return [part for part in map(_open_part, await self._rows(order_id)) if part.quantity]

    async def deallocate(self, order_id: str) -> bool:
        await self._work.run(_LOCK_ORDER, {"order_id": order_id})
        parts = await self.allocations(order_id)
        if not parts:
            return False
        await lock_stock(self._work, (part.sku for part in parts))
        columns = self._columns(parts)
        del columns["skus"], columns["quantities"]
        await self._work.run(_DEALLOCATE, {"order_id": order_id, **columns})
        return True

    async def deduct(self, order_id: str, shipment_id: str, lines: Sequence[ShipmentLine]) -> bool:
        """Raises Fenced when these pieces are not promised to the order any more."""
        await self._work.run(_LOCK_ORDER, {"order_id": order_id})
        if await self._work.first(_DEDUCTED, {"shipment_id": shipment_id}) is not None:
            return False
        promised = {
            (part.line_no, part.sku, part.warehouse): part for part in await self.allocations(order_id)
        }
        for line in lines:
            part = promised.get((line.line_no, line.sku, line.warehouse))
            if part is None or part.quantity < line.quantity:
                raise Fenced(f"shipment {shipment_id} has pieces that order {order_id} does not hold")
        await lock_stock(self._work, (line.sku for line in lines))
        await self._work.run(
            _DEDUCT, {"order_id": order_id, "shipment_id": shipment_id, **self._columns(lines)}
        )
        return True

    async def _rows(self, order_id: str) -> Sequence[RowMapping]:
        return await self._work.rows(_ALLOCATIONS, {"order_id": order_id})

    def _columns(self, parts: Sequence[ShipmentLine]) -> dict[str, object]:
        return {
            "ids": [new_id("mov") for _ in parts],
            "line_nos": [part.line_no for part in parts],
            "skus": [part.sku for part in parts],
            "quantities": [part.quantity for part in parts],
            "warehouses": [part.warehouse for part in parts],
            "actor": self._work.context.actor,
            "request_id": self._work.context.request_id,
        }


def _open_part(row: RowMapping) -> ShipmentLine:
    return ShipmentLine(row["line_no"], row["sku"], row["open"], row["warehouse"])
