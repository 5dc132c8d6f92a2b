"""Which hold serves an order: the cart's own reservation where it fits, else one of the order's."""

from collections import Counter
from collections.abc import Iterable, Sequence

from commerce.contracts.ids import RESERVATION, derived_id
from commerce.contracts.statuses import ReservationStatus
from commerce.domain.errors import NotFound
from commerce.domain.orders import Order, OrderLine
from commerce.domain.ports import UnitOfWork
from commerce.domain.stock import HoldLine, HoldResult


def hold_lines(lines: Iterable[OrderLine]) -> list[HoldLine]:
    return [HoldLine(line.line_no, line.sku, line.quantity) for line in lines]


def own_hold_id(order: Order) -> str:
    return derived_id(RESERVATION, order.id)


async def hold_id(tx: UnitOfWork, order: Order) -> str:
    """The reservation that now holds this order's goods."""
    if order.reservation_id:
        try:
            reservation = await tx.stock.reservation(order.reservation_id)
        except NotFound:
            return own_hold_id(order)
        if reservation.order_id == order.id and reservation.status is not ReservationStatus.RELEASED:
            return reservation.id
    return own_hold_id(order)


async def hold_for_order(tx: UnitOfWork, order: Order, lines: Sequence[HoldLine], seconds: int) -> HoldResult:
    """Takes the cart's reservation over if it holds just these goods, else holds them anew."""
    if order.reservation_id:
        taken = await tx.stock.take_over(order.reservation_id, order.id, seconds)
        if taken is not None and _pieces(taken.lines) == _pieces(lines):
            return HoldResult(taken.id, taken.expires_at)
        if taken is not None:
            await tx.stock.release(taken.id)
    return await tx.stock.hold(own_hold_id(order), lines, seconds, cart_id=order.cart_id, order_id=order.id)


async def release_holds(tx: UnitOfWork, order: Order) -> None:
    """Closes every hold of the order for good, also those that were never made."""
    for reservation_id in filter(None, (order.reservation_id, own_hold_id(order))):
        await tx.stock.release(reservation_id)


def _pieces(lines: Iterable[HoldLine]) -> Counter[str]:
    pieces: Counter[str] = Counter()
    for line in lines:
        pieces[line.sku] += line.quantity
    return pieces
