"""Stock as one port, kept in four files: levels and movements, holds, reservations, allocations."""

from collections.abc import Mapping, Sequence

from commerce.domain.orders import ShipmentLine
from commerce.domain.stock import HoldLine, HoldResult, Movement, Reservation, StockLevel
from commerce.persistence.repositories.allocations import Allocations
from commerce.persistence.repositories.holds import Holds
from commerce.persistence.repositories.reservations import Reservations
from commerce.persistence.repositories.stock_levels import StockLevels
from commerce.persistence.work import Work


class SqlStock:
    def __init__(self, work: Work) -> None:
        self._levels = StockLevels(work)
        self._holds = Holds(work)
        self._reservations = Reservations(work)
        self._allocations = Allocations(work)

    async def level(self, sku: str) -> StockLevel:
        return await self._levels.level(sku)

    async def levels(self, skus: Sequence[str]) -> Mapping[str, StockLevel]:
        return await self._levels.levels(skus)

    async def move(self, sku: str, warehouse: str, delta: int, reason: str, key: str) -> Movement:
        return await self._levels.move(sku, warehouse, delta, reason, key)

    async def movements(
        self, sku: str, cursor: str | None, limit: int
    ) -> tuple[Sequence[Movement], str | None]:
        return await self._levels.movements(sku, cursor, limit)

    async def hold(
        self,
        reservation_id: str,
        lines: Sequence[HoldLine],
        seconds: int,
        *,
        cart_id: str,
        order_id: str | None,
    ) -> HoldResult:
        return await self._holds.hold(reservation_id, lines, seconds, cart_id=cart_id, order_id=order_id)

    async def take_over(self, reservation_id: str, order_id: str, seconds: int) -> Reservation | None:
        return await self._holds.take_over(reservation_id, order_id, seconds)

    async def extend(self, reservation_id: str, seconds: int) -> Reservation:
        return await self._holds.extend(reservation_id, seconds)

    async def release(self, reservation_id: str, *, expired: bool = False) -> bool:
        return await self._reservations.release(reservation_id, expired=expired)

    async def reservation(self, reservation_id: str) -> Reservation:
        return await self._reservations.reservation(reservation_id)

    async def held_for_cart(self, cart_id: str) -> str | None:
        return await self._reservations.held_for_cart(cart_id)

    async def plan_reservation(
        self, reservation_id: str, cart_id: str, lines: Sequence[HoldLine], minutes: int
    ) -> None:
        await self._reservations.plan(reservation_id, cart_id, lines, minutes)

    async def expire_due(self, limit: int) -> int:
        return await self._reservations.expire_due(limit)

    async def allocate(self, reservation_id: str, order_id: str, lines: Sequence[HoldLine]) -> HoldResult:
        return await self._allocations.allocate(reservation_id, order_id, lines)

    async def allocations(self, order_id: str) -> Sequence[ShipmentLine]:
        return await self._allocations.allocations(order_id)

    async def deallocate(self, order_id: str) -> bool:
        return await self._allocations.deallocate(order_id)

    async def deduct(self, order_id: str, shipment_id: str, lines: Sequence[ShipmentLine]) -> bool:
        return await self._allocations.deduct(order_id, shipment_id, lines)
