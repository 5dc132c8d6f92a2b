"""Reservations: the wish, its end, and the mark that a closed one leaves."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import RowMapping, insert, text
from sqlalchemy.exc import IntegrityError

from commerce.contracts.statuses import ReservationStatus
from commerce.domain.errors import Conflict, NotFound
from commerce.domain.stock import HoldLine, Reservation
from commerce.persistence.errors import broken_constraint
from commerce.persistence.tables.stock import reservation_lines
from commerce.persistence.work import Work

_READ = text(
    """
    SELECT id, cart_id, order_id, extended, minutes, expires_at,
        CASE WHEN status IN ('planned', 'held') AND expires_at <= clock_timestamp()
            THEN 'expired' ELSE status END AS status,
        (SELECT jsonb_agg(jsonb_build_object('line_no', line_no, 'sku', sku, 'quantity', quantity)
                          ORDER BY line_no)
         FROM reservation_lines WHERE reservation_id = id) AS lines
    FROM reservations WHERE id = :id
    """
)
_HELD_FOR_CART = text(
    """
    SELECT id FROM reservations
    WHERE cart_id = :cart_id AND order_id IS NULL AND status = 'held' AND expires_at > clock_timestamp()
    """
)
_EXPIRE_OF_CART = text(
    """
    UPDATE reservations SET status = 'expired'
    WHERE cart_id = :cart_id AND order_id IS NULL AND status IN ('planned', 'held')
        AND expires_at <= clock_timestamp()
    """
)
_PLAN = text(
    """
    INSERT INTO reservations (id, cart_id, status, minutes, expires_at)
    VALUES (:id, :cart_id, 'planned', :minutes, clock_timestamp() + make_interval(mins => :minutes))
    ON CONFLICT DO NOTHING
    """
)
_EXISTS = text("SELECT id FROM reservations WHERE id = :id")
_MARK_RELEASED = text(
    """
    INSERT INTO reservations (id, status, fenced, expires_at)
    VALUES (:id, 'released', true, clock_timestamp()) ON CONFLICT (id) DO NOTHING
    """
)
_LOCK = text("SELECT status, order_id, expires_at FROM reservations WHERE id = :id FOR NO KEY UPDATE")
_CLOSE = text("UPDATE reservations SET status = :status, fenced = true WHERE id = :id")
_DROP_HOLDS = text("DELETE FROM stock_holds WHERE reservation_id = :id")
_EXPIRE_DUE = text(
    """
    WITH due AS (
        SELECT id FROM reservations
        WHERE status IN ('planned', 'held') AND expires_at <= clock_timestamp()
        ORDER BY expires_at LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
    ), dropped AS (
        DELETE FROM stock_holds USING due WHERE stock_holds.reservation_id = due.id
    )
    UPDATE reservations SET status = 'expired' FROM due WHERE reservations.id = due.id
    """
)


class Reservations:
    def __init__(self, work: Work) -> None:
        self._work = work

    async def reservation(self, reservation_id: str) -> Reservation:
        """One whose time is over reads as expired, tidied or not. Raises NotFound."""
        row = await self._work.first(_READ, {"id": reservation_id})
        if row is None:
            raise NotFound("reservation", reservation_id)
        return reservation_of(row)

    async def held_for_cart(self, cart_id: str) -> str | None:
        row = await self._work.first(_HELD_FOR_CART, {"cart_id": cart_id})
        return str(row["id"]) if row is not None else None

    async def plan(self, reservation_id: str, cart_id: str, lines: Sequence[HoldLine], minutes: int) -> None:
        await self._work.run(_EXPIRE_OF_CART, {"cart_id": cart_id})
        planned = await self._work.run(_PLAN, {"id": reservation_id, "cart_id": cart_id, "minutes": minutes})
        if planned and lines:
            rows = [{"reservation_id": reservation_id, **asdict(line)} for line in lines]
            await self._work.run(insert(reservation_lines), rows)
        if not planned and await self._work.first(_EXISTS, {"id": reservation_id}) is None:
            raise _live_already(cart_id)

    async def release(self, reservation_id: str, *, expired: bool) -> bool:
        """A hold that an order took over does not end by its cart's timer: `expired` leaves it alone."""
        if await self._work.run(_MARK_RELEASED, {"id": reservation_id}):
            return False
        row = await self._work.first(_LOCK, {"id": reservation_id})
        if row is None:
            raise NotFound("reservation", reservation_id)
        if row["status"] == ReservationStatus.CONSUMED or (expired and row["order_id"] is not None):
            return False
        was_held = bool(row["status"] == ReservationStatus.HELD)
        already = row["status"] in {ReservationStatus.RELEASED, ReservationStatus.EXPIRED}
        status = ReservationStatus.EXPIRED if expired else ReservationStatus.RELEASED
        await self._work.run(_CLOSE, {"id": reservation_id, "status": row["status"] if already else status})
        if was_held:
            await self._work.run(_DROP_HOLDS, {"id": reservation_id})
        return was_held

    async def expire_due(self, limit: int) -> int:
        return await self._work.run(_EXPIRE_DUE, {"limit": limit})


def reservation_of(row: RowMapping) -> Reservation:
    return Reservation(
        id=row["id"],
        cart_id=row["cart_id"],
        order_id=row["order_id"],
        status=ReservationStatus(row["status"]),
        expires_at=row["expires_at"],
        extended=row["extended"],
        minutes=row["minutes"],
        lines=[HoldLine(**line) for line in row["lines"] or []],
    )


def _live_already(cart_id: str) -> Conflict:
    return Conflict(f"cart {cart_id} has a live reservation")


def hold_conflict(error: IntegrityError, cart_id: str) -> Exception:
    """What an insert's failure means: the transaction cannot go on after it."""
    if broken_constraint(error) == "reservations_one_per_cart":
        return _live_already(cart_id)
    return error
