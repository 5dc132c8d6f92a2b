"""Holds on stock: for an order on its way to payment, and for a cart before its checkout."""

from datetime import UTC, datetime

from temporalio import activity

from activities.holds import hold_for_order, hold_lines, release_holds
from commerce.contracts.checkout import OrderRef
from commerce.contracts.statuses import OrderState, ReservationStatus
from commerce.contracts.stock import (
    ExtendHold,
    ExtendReservationHold,
    HoldReservation,
    ReservationAnswer,
    ReservationRef,
    ReserveStock,
    StockHeld,
)
from commerce.domain.errors import Fenced, ReservationClosed
from commerce.domain.ports import Database
from commerce.domain.stock import HoldResult, Reservation


class StockActivities:
    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="reserve_stock")
    async def reserve_stock(self, command: ReserveStock) -> StockHeld:
        """Holds all lines of the order or none. Raises Fenced once the order is closed."""
        async with self._database.transaction(command.context.as_system()) as tx:
            order = await tx.orders.get(command.order_id)
            if order.order_state is OrderState.CANCELLED:
                raise Fenced(f"order {order.id} is {order.order_state}")
            lines = hold_lines(await tx.orders.lines(order.id))
            result = await hold_for_order(tx, order, lines, command.hold_seconds)
        return _held(result)

    @activity.defn(name="release_stock")
    async def release_stock(self, ref: OrderRef) -> None:
        """Gives an order's hold back and refuses a late one; an allocation is left alone."""
        async with self._database.transaction(ref.context.as_system()) as tx:
            await release_holds(tx, await tx.orders.get(ref.order_id))

    @activity.defn(name="extend_hold")
    async def extend_hold(self, command: ExtendHold) -> StockHeld:
        """Once per order, while its shopper is at the provider; a hold that ran out is made again."""
        async with self._database.transaction(command.context.as_system()) as tx:
            order = await tx.orders.get(command.order_id)
            lines = hold_lines(await tx.orders.lines(order.id))
            result = await hold_for_order(tx, order, lines, command.extension_seconds)
            try:
                reservation = await tx.stock.extend(result.reservation_id, command.extension_seconds)
            except ReservationClosed:
                return _held(result)
        return StockHeld(held=True, expires_at=reservation.expires_at.isoformat())

    @activity.defn(name="hold_reservation")
    async def hold_reservation(self, command: HoldReservation) -> ReservationAnswer:
        """Holds what the stored reservation asks for, for `seconds` from now."""
        async with self._database.transaction(command.context) as tx:
            wish = await tx.stock.reservation(command.reservation_id)
            result = await tx.stock.hold(
                wish.id, wish.lines, command.seconds, cart_id=wish.cart_id or "", order_id=None
            )
            if not result.held:
                await tx.stock.release(wish.id)
                return ReservationAnswer(
                    wish.id, ReservationStatus.RELEASED, shortages=result.shortages, refusal="out of stock"
                )
            return _answer(await tx.stock.reservation(wish.id))

    @activity.defn(name="extend_reservation")
    async def extend_reservation(self, command: ExtendReservationHold) -> ReservationAnswer:
        async with self._database.transaction(command.context) as tx:
            try:
                return _answer(await tx.stock.extend(command.reservation_id, command.seconds))
            except ReservationClosed as refusal:
                reservation = await tx.stock.reservation(command.reservation_id)
                return _answer(reservation, str(refusal))

    @activity.defn(name="release_reservation")
    async def release_reservation(self, ref: ReservationRef) -> ReservationAnswer:
        """The shopper gives the hold back; one that a checkout took over stays with its order."""
        return await self._close(ref, expired=False)

    @activity.defn(name="expire_reservation")
    async def expire_reservation(self, ref: ReservationRef) -> ReservationAnswer:
        """The time is over: the hold counts no more since then, this only tidies up."""
        return await self._close(ref, expired=True)

    async def _close(self, ref: ReservationRef, *, expired: bool) -> ReservationAnswer:
        async with self._database.transaction(ref.context) as tx:
            reservation = await tx.stock.reservation(ref.reservation_id)
            if reservation.order_id is not None:
                return _answer(reservation, "a checkout has taken it over")
            if expired and reservation.expires_at > datetime.now(UTC):
                return _answer(reservation)
            await tx.stock.release(reservation.id, expired=expired)
            return _answer(await tx.stock.reservation(reservation.id))


def _held(result: HoldResult) -> StockHeld:
    expires_at = result.expires_at.isoformat() if result.expires_at else None
    return StockHeld(held=result.held, expires_at=expires_at, shortages=result.shortages)


def _answer(reservation: Reservation, refusal: str | None = None) -> ReservationAnswer:
    status = reservation.status
    if reservation.order_id is not None and status is ReservationStatus.HELD:
        status = ReservationStatus.CONSUMED
    left = max(0.0, (reservation.expires_at - datetime.now(UTC)).total_seconds())
    return ReservationAnswer(
        reservation.id, status, reservation.expires_at.isoformat(), left, refusal=refusal
    )
