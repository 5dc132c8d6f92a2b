"""Holding a cart's stock for minutes before payment."""

from fastapi import Response

from api.deps import CallDep, OwnedReservation, load_cart
from api.docs import problems
from api.errors import (
    AuthenticationRequired,
    EmptyCart,
    InvalidRequest,
    ObjectNotFound,
    OutOfStock,
    ReservationClosed,
    ReservationExists,
    Unavailable,
)
from api.guard import guarded_router
from api.policy import Owned, allow, owner_of
from api.schemas.carts import ReservationCreate, ReservationExtend, ReservationView
from api.services import reservations
from api.views import reservation_view
from commerce.contracts.statuses import ReservationStatus

router = guarded_router(prefix="/v1/reservations", tags=["reservations"])
_OWNER = owner_of(Owned.RESERVATION)
_REFUSALS = (AuthenticationRequired, ObjectNotFound, Unavailable)


@router.post(
    "",
    status_code=201,
    operation_id="create_reservation",
    responses=problems(*_REFUSALS, OutOfStock, ReservationExists, EmptyCart, InvalidRequest),
)
@allow(owner_of(Owned.CART_IN_BODY))
async def create_reservation(
    payload: ReservationCreate, call: CallDep, response: Response
) -> ReservationView:
    """Holds everything in the cart, or nothing. 202 while the hold is still being made."""
    cart = await load_cart(call, payload.cart_id)
    answer = await reservations.reserve(call, cart, payload.minutes)
    response.headers["Location"] = f"/v1/reservations/{answer.reservation_id}"
    if answer.status is ReservationStatus.PLANNED:
        response.status_code = 202
    return reservation_view(answer)


@router.post(
    "/{reservation_id}/extend",
    operation_id="extend_reservation",
    responses=problems(*_REFUSALS, ReservationClosed, InvalidRequest),
)
@allow(_OWNER)
async def extend_reservation(
    reservation: OwnedReservation, payload: ReservationExtend, call: CallDep
) -> ReservationView:
    """Once, by at most the time that was first asked for."""
    return await reservations.extend(call, reservation, payload.minutes)


@router.delete("/{reservation_id}", operation_id="release_reservation", responses=problems(*_REFUSALS))
@allow(_OWNER)
async def release_reservation(reservation: OwnedReservation, call: CallDep) -> ReservationView:
    """Gives the stock back; safe to repeat."""
    return await reservations.release(call, reservation)
