"""One shopper's visit: a cart, a checkout, the bank's question if it comes, a change of mind if planned."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from api.schemas.checkouts import CheckoutView
from api.schemas.orders import OrderView
from commerce.contracts.statuses import OrderStatus
from devstack.demo.people import email_of
from devstack.demo.plan import Purchase, Way
from devstack.demo.shop import Caller, FirstAnswer, Json, Refused, Shop, slug_of
from devstack.demo.world import World
from devstack.errors import StackError

CURRENCY = "GBP"
_CITIES = {
    "GB": ("London", None, "EC1A 1BB"),
    "FR": ("Lyon", None, "69001"),
    "NL": ("Utrecht", None, "3511 AB"),
    "AU": ("Perth", "WA", "6000"),
}
_PLACED_WITHIN = 30.0


@dataclass(frozen=True)
class Visit:
    """How it went: `outcome` is the status, or the slug of the refusal, that the shopper was left with."""

    purchase: Purchase
    caller: Caller
    order_id: str
    outcome: str
    answer_seconds: float
    shipping: int = 0


class Shoppers:
    def __init__(self, shop: Shop, world: World, tokens: dict[str, str]) -> None:
        self._shop = shop
        self._world = world
        self._tokens = tokens

    async def visit(self, purchase: Purchase) -> Visit:
        """Raises Refused for what a shopper of this plan is never refused, and StackError."""
        invoice = purchase.invoice
        customer = invoice.customer_id or invoice.number
        caller = Caller() if purchase.guest else Caller(token=self._tokens[customer])
        cart = await self._shop.new_cart(caller, CURRENCY)
        caller = Caller(caller.token, cart.cart_token)
        for sku, quantity in invoice.pieces.items():
            await self._shop.put_item(caller, cart.id, sku, quantity)
        first = await self._shop.check_out(
            caller, checkout(cart.id, customer, invoice.country, purchase.card)
        )
        if isinstance(first.answer, Refused):
            return _declined(purchase, caller, first, first.answer)
        return await self._follow(purchase, caller, first, first.answer)

    async def _follow(
        self, purchase: Purchase, caller: Caller, first: FirstAnswer, answer: CheckoutView
    ) -> Visit:
        order_id = answer.order_id
        if answer.action is not None:
            await self._world.confirm_at_bank(answer.action.client_secret or "")
            await self._placed(caller, order_id)
        order = await self._shop.order(caller, order_id)
        if purchase.way is Way.CANCELLED:
            order = await self._shop.cancel(caller, order_id, "Changed my mind")
        return Visit(purchase, caller, order_id, order.status, first.seconds, order.totals.shipping.amount)

    async def _placed(self, caller: Caller, order_id: str) -> OrderView:
        deadline = time.monotonic() + _PLACED_WITHIN
        while time.monotonic() < deadline:
            order = await self._shop.order(caller, order_id)
            if order.status is not OrderStatus.PENDING:
                return order
            await asyncio.sleep(0.3)
        raise StackError(f"order {order_id} was not placed {_PLACED_WITHIN:.0f} s after 3-D Secure")


def checkout(cart_id: str, customer: str, country: str, card: str) -> Json:
    """The book has no names and streets: an address in the customer's country."""
    city, region, postal_code = _CITIES[country]
    return {
        "cart_id": cart_id,
        "email": email_of(customer),
        "shipping_address": {
            "name": f"Customer {customer}",
            "line1": "1 Market Street",
            "city": city,
            "region": region,
            "postal_code": postal_code,
            "country": country,
        },
        "shipping_method": "standard",
        "payment": {"provider": "stripe", "token": card},
    }


def _declined(purchase: Purchase, caller: Caller, first: FirstAnswer, refused: Refused) -> Visit:
    """Raises Refused when it was not the card, or not one that is declined."""
    extra = refused.problem.model_extra or {}
    order_id = extra.get("order_id")
    by_the_card = slug_of(refused.problem) == "payment-declined" and purchase.way is Way.DECLINED
    if not by_the_card or not isinstance(order_id, str):
        raise refused
    return Visit(purchase, caller, order_id, "declined", first.seconds)
