"""What routes ask for: the gateway, the caller's standing, and objects that are the caller's to see."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Path, Request

from api.policy import Access, Ownership
from api.schemas.base import ID_PATTERN, SKU_PATTERN
from api.state import Gateway
from commerce.contracts.context import RequestContext
from commerce.domain.carts import Cart
from commerce.domain.errors import NotFound, ProviderUnavailable
from commerce.domain.orders import Order
from commerce.domain.ports import UnitOfWork
from commerce.domain.stock import Reservation

T = TypeVar("T")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_ATTEMPTS = 3

CartId = Annotated[str, Path(pattern=ID_PATTERN)]
OrderId = Annotated[str, Path(pattern=ID_PATTERN)]
ReservationId = Annotated[str, Path(pattern=ID_PATTERN)]
ProductId = Annotated[str, Path(pattern=r"^[a-z0-9]+([_-][a-z0-9]+)*$", max_length=128)]
SkuPath = Annotated[str, Path(pattern=SKU_PATTERN)]


@dataclass(frozen=True)
class Call:
    """One request's standing, as services take it."""

    gateway: Gateway
    access: Access
    request_id: str
    traceparent: str | None
    path: str

    @property
    def context(self) -> RequestContext:
        return RequestContext(
            request_id=self.request_id,
            actor=self.access.actor,
            traceparent=self.traceparent,
            on_behalf_of=self.access.on_behalf_of,
        )

    async def transact(self, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Runs `work` in one transaction, again as a whole where it met another's lock or write."""
        for attempt in range(1, _ATTEMPTS):
            try:
                async with self.gateway.database.transaction(self.context) as tx:
                    return await work(tx)
            except ProviderUnavailable:
                await asyncio.sleep(0.05 * attempt)
        async with self.gateway.database.transaction(self.context) as tx:
            return await work(tx)


def _call(request: Request) -> Call:
    traceparent = request.headers.get("traceparent", "")
    return Call(
        gateway=request.state.gateway,
        access=request.state.access,
        request_id=request.state.request_id,
        traceparent=traceparent if _TRACEPARENT.fullmatch(traceparent) else None,
        path=request.url.path,
    )


CallDep = Annotated[Call, Depends(_call)]


async def load_cart(call: Call, cart_id: str) -> Cart:
    """Raises ObjectNotFound for somebody else's, NotFound for none."""
    cart = await call.gateway.carts.get(cart_id)
    call.access.require(ownership_of_cart(cart))
    return cart


def ownership_of_cart(cart: Cart) -> Ownership:
    return Ownership("cart", cart.id, cart.customer_id, cart.guest_key, cart.id)


def ownership_of_order(order: Order) -> Ownership:
    return Ownership("order", order.id, order.customer_id, order.guest_key, order.cart_id)


async def _owned_cart(cart_id: CartId, call: CallDep) -> Cart:
    return await load_cart(call, cart_id)


async def _owned_order(order_id: OrderId, call: CallDep) -> Order:
    async with call.gateway.database.reading() as tx:
        order = await tx.orders.get(order_id)
    call.access.require(ownership_of_order(order))
    return order


async def _owned_reservation(reservation_id: ReservationId, call: CallDep) -> Reservation:
    async with call.gateway.database.reading() as tx:
        reservation = await tx.stock.reservation(reservation_id)
    if reservation.cart_id is None:
        raise NotFound("reservation", reservation_id)
    try:
        cart = await call.gateway.carts.get(reservation.cart_id)
    except NotFound as error:
        raise NotFound("reservation", reservation_id) from error
    call.access.require(Ownership("reservation", reservation.id, cart.customer_id, cart.guest_key, cart.id))
    return reservation


OwnedCart = Annotated[Cart, Depends(_owned_cart)]
OwnedOrder = Annotated[Order, Depends(_owned_order)]
OwnedReservation = Annotated[Reservation, Depends(_owned_reservation)]
