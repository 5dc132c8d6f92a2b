"""Holds: stock kept for a reservation until `expires_at`.

Locks: the reservation's row, then the stock rows in SKU order. Availability is read by a statement of its
own after that, since a statement does not see what was committed while it waited for a lock.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from commerce.contracts.statuses import ReservationStatus
from commerce.domain.allocation import shortages
from commerce.domain.errors import Fenced, NotFound, ReservationClosed
from commerce.domain.stock import HoldLine, HoldResult, Reservation
from commerce.persistence.repositories.reservations import Reservations, hold_conflict
from commerce.persistence.repositories.stock_locks import free_stock, lock_stock
from commerce.persistence.work import Work

_OPEN = text(
    """
    INSERT INTO reservations (id, cart_id, order_id, status, minutes, expires_at)
    VALUES (:id, :cart_id, :order_id, 'planned', CEIL(CAST(:seconds AS numeric) / 60),
            clock_timestamp() + make_interval(secs => :seconds))
    ON CONFLICT (id) DO UPDATE SET order_id = COALESCE(reservations.order_id, excluded.order_id)
    RETURNING status, fenced, expires_at, expires_at > clock_timestamp() AS in_time
    """
)
"""Creates the row or locks the one that is there."""
_CLEAR = text(
    """
    WITH dropped AS (DELETE FROM stock_holds WHERE reservation_id = :id)
    DELETE FROM reservation_lines WHERE reservation_id = :id
    """
)
_HOLD = text(
    """
    WITH wished AS (
        SELECT * FROM unnest(CAST(:line_nos AS int[]), CAST(:skus AS text[]), CAST(:quantities AS int[]))
            AS line (line_no, sku, quantity)
    ), held AS (
        UPDATE reservations
        SET status = 'held', expires_at = clock_timestamp() + make_interval(secs => :seconds)
        WHERE id = :id RETURNING id, expires_at
    ), written AS (
        INSERT INTO reservation_lines (reservation_id, line_no, sku, quantity)
        SELECT :id, line_no, sku, quantity FROM wished
    ), counted AS (
        INSERT INTO stock_holds (reservation_id, sku, quantity, expires_at)
        SELECT held.id, sku, sum(quantity), held.expires_at
        FROM wished, held GROUP BY held.id, sku, held.expires_at
    )
    SELECT expires_at FROM held
    """
)
_LOCK = text(
    """
    SELECT order_id, status, extended, expires_at > clock_timestamp() AS in_time
    FROM reservations WHERE id = :id FOR NO KEY UPDATE
    """
)
_SKUS = text("SELECT sku FROM stock_holds WHERE reservation_id = :id")
_PROLONG = text(
    """
    WITH prolonged AS (
        UPDATE reservations
        SET expires_at = greatest(expires_at, clock_timestamp() + make_interval(secs => :seconds)),
            extended = extended OR :extended, order_id = COALESCE(:order_id, order_id)
        WHERE id = :id AND status = 'held' AND expires_at > clock_timestamp()
        RETURNING id, expires_at
    )
    UPDATE stock_holds SET expires_at = prolonged.expires_at
    FROM prolonged WHERE stock_holds.reservation_id = prolonged.id
    """
)


class Holds:
    def __init__(self, work: Work) -> None:
        self._work = work
        self._reservations = Reservations(work)

    async def hold(
        self,
        reservation_id: str,
        lines: Sequence[HoldLine],
        seconds: int,
        *,
        cart_id: str,
        order_id: str | None,
    ) -> HoldResult:
        """A repeat after the hold ran out tries again, unless `release` closed the reservation."""
        values = {"id": reservation_id, "cart_id": cart_id, "order_id": order_id, "seconds": seconds}
        try:
            row = await self._work.first(_OPEN, values)
        except IntegrityError as error:
            raise hold_conflict(error, cart_id) from error
        if row is None:
            raise NotFound("reservation", reservation_id)
        if row["fenced"]:
            raise Fenced(f"reservation {reservation_id} was closed")
        status = ReservationStatus(row["status"])
        if status is ReservationStatus.CONSUMED or (status is ReservationStatus.HELD and row["in_time"]):
            return HoldResult(reservation_id, row["expires_at"])
        return await self._hold(reservation_id, lines, seconds)

    async def _hold(self, reservation_id: str, lines: Sequence[HoldLine], seconds: int) -> HoldResult:
        skus = {line.sku for line in lines}
        await lock_stock(self._work, skus)
        free = await free_stock(self._work, skus, own=reservation_id)
        short = shortages(lines, free.available)
        if short:
            return HoldResult(reservation_id, None, short)
        await self._work.run(_CLEAR, {"id": reservation_id})
        return HoldResult(reservation_id, await self._write(reservation_id, lines, seconds))

    async def _write(self, reservation_id: str, lines: Sequence[HoldLine], seconds: int) -> datetime:
        values = {
            "id": reservation_id,
            "seconds": seconds,
            "line_nos": [line.line_no for line in lines],
            "skus": [line.sku for line in lines],
            "quantities": [line.quantity for line in lines],
        }
        row = await self._work.first(_HOLD, values)
        if row is None:
            raise NotFound("reservation", reservation_id)
        expires_at: datetime = row["expires_at"]
        return expires_at

    async def take_over(self, reservation_id: str, order_id: str, seconds: int) -> Reservation | None:
        row = await self._work.first(_LOCK, {"id": reservation_id})
        if row is None or row["order_id"] not in {None, order_id}:
            return None
        if not await self._prolong(reservation_id, seconds, order_id=order_id):
            return None
        return await self._reservations.reservation(reservation_id)

    async def extend(self, reservation_id: str, seconds: int) -> Reservation:
        row = await self._work.first(_LOCK, {"id": reservation_id})
        if row is None:
            raise NotFound("reservation", reservation_id)
        if row["extended"]:
            raise ReservationClosed(f"reservation {reservation_id} was extended before")
        if not await self._prolong(reservation_id, seconds, extended=True):
            raise ReservationClosed(f"reservation {reservation_id} is over")
        return await self._reservations.reservation(reservation_id)

    async def _prolong(
        self, reservation_id: str, seconds: int, *, extended: bool = False, order_id: str | None = None
    ) -> bool:
        """Under the stock's locks: nobody may count a hold as over that lives on. Never shortens."""
        skus = [row["sku"] for row in await self._work.rows(_SKUS, {"id": reservation_id})]
        await lock_stock(self._work, skus)
        values = {"id": reservation_id, "seconds": seconds, "extended": extended, "order_id": order_id}
        return await self._work.run(_PROLONG, values) > 0
