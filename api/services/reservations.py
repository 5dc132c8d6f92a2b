"""Holding a cart's stock before checkout: the wish is stored, then its workflow holds and guards it."""

from api.deps import Call
from api.errors import EmptyCart, Fault, OutOfStock, ReservationClosed, ReservationExists, Unavailable
from api.schemas.carts import ReservationView
from api.views import reservation_view
from commerce.contracts.ids import RESERVATION, new_id
from commerce.contracts.statuses import ReservationStatus
from commerce.contracts.stock import ExtendReservation, ReservationAnswer, ReservationInput
from commerce.domain.carts import Cart
from commerce.domain.errors import Conflict, NotFound, ProviderUnavailable
from commerce.domain.stock import HoldLine, Reservation


async def reserve(call: Call, cart: Cart, minutes: int) -> ReservationAnswer:
    """Holds all of the cart or nothing. Raises OutOfStock naming the lines, Unavailable without Temporal.

    An answer of PLANNED says that the workflow has not told yet.
    """
    if not cart.items:
        raise EmptyCart(faults=[Fault("there is nothing to hold", "/cart_id")])
    lines = [HoldLine(number, item.sku, item.quantity) for number, item in enumerate(cart.items, 1)]
    reservation_id = new_id(RESERVATION)
    try:
        async with call.gateway.database.transaction(call.context) as tx:
            await tx.stock.plan_reservation(reservation_id, cart.id, lines, minutes)
            await tx.audit.add("stock.reserve", "reservation", reservation_id, after={"minutes": minutes})
    except Conflict as error:
        raise ReservationExists from error
    command = ReservationInput(reservation_id, cart.id, minutes, call.context)
    try:
        answer = await call.gateway.workflows.reserve(
            command,
            update_id=reservation_id,
            wait_seconds=call.gateway.settings.answer_within_seconds,
        )
    except ProviderUnavailable as error:
        await _forget(call, reservation_id)
        raise Unavailable(retry_after=error.retry_after) from error
    if answer is None:
        return ReservationAnswer(reservation_id, ReservationStatus.PLANNED)
    if answer.shortages:
        raise OutOfStock(answer.shortages)
    return answer


async def _forget(call: Call, reservation_id: str) -> None:
    """Nothing was held; closes the wish, so that the cart may try again."""
    async with call.gateway.database.transaction(call.context) as tx:
        await tx.stock.release(reservation_id)


async def extend(call: Call, reservation: Reservation, minutes: int) -> ReservationView:
    """Once, by at most the time first asked for. Raises ReservationClosed."""
    command = ExtendReservation(minutes, call.context)
    update_id = f"extend/{call.request_id}"
    try:
        answer = await call.gateway.workflows.extend_reservation(reservation.id, command, update_id)
    except NotFound as error:
        raise ReservationClosed from error
    if answer.refusal:
        raise ReservationClosed(f"{answer.refusal[:1].upper()}{answer.refusal[1:]}.")
    return reservation_view(answer)


async def release(call: Call, reservation: Reservation) -> ReservationView:
    """Safe to repeat; a hold that a checkout took over stays with its order."""
    try:
        return reservation_view(
            await call.gateway.workflows.release_reservation(reservation.id, call.context)
        )
    except NotFound:
        async with call.gateway.database.reading() as tx:
            last = await tx.stock.reservation(reservation.id)
        return ReservationView(id=last.id, status=last.status, expires_at=last.expires_at)
