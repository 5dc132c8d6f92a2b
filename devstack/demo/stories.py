"""The paths an order can take, each played once on the running stack so that its history can be recorded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from api.schemas.orders import OrderView
from commerce.cli.stack import sign_in
from commerce.contracts.statuses import OrderStatus
from devstack.demo.ends import holds_no_money, refunds_open
from devstack.demo.plan import ASKED_CARD, DECLINED_CARDS, GOOD_CARD
from devstack.demo.shop import Caller, Refused, Shop
from devstack.demo.shoppers import CURRENCY, checkout
from devstack.demo.world import STANDSTILL, Speed, World
from devstack.environment import running_endpoints
from devstack.errors import StackError

_SKU = "71053"
_TOO_MANY = 9_000
_FAST = Speed(step_seconds=0.3, handover_seconds=0.3)
_PATIENCE = 60.0
_PARKED_WITHIN = 300.0
"""A failing step is shown to support after `attention_after_seconds`, two minutes unless set."""
_MESSAGES_LEAVE = 2.0

Ended = Callable[[OrderView], bool]


@dataclass(frozen=True)
class Stories:
    """Each method plays one story to its end and answers the order's id. Raises StackError."""

    shop: Shop
    world: World
    customer: Caller
    support: Caller

    def all(self) -> Mapping[str, Callable[[], Awaitable[str]]]:
        return {
            "happy": self.happy,
            "declined": self.declined,
            "three_d_secure": self.three_d_secure,
            "out_of_stock": self.out_of_stock,
            "cancelled": self.cancelled,
            "refunded": self.refunded,
            "failing_compensation": self.failing_compensation,
        }

    async def happy(self) -> str:
        async with self.world.carrier_at(_FAST):
            order_id, _ = await self._buy(GOOD_CARD)
            await self._until(order_id, lambda order: order.status is OrderStatus.DELIVERED)
        return order_id

    async def declined(self) -> str:
        return await self._refused(DECLINED_CARDS[0], 1)

    async def out_of_stock(self) -> str:
        return await self._refused(GOOD_CARD, _TOO_MANY)

    async def three_d_secure(self) -> str:
        async with self.world.carrier_at(_FAST):
            order_id, secret = await self._buy(ASKED_CARD)
            await self.world.confirm_at_bank(secret)
            await self._until(order_id, lambda order: order.status is OrderStatus.DELIVERED)
        return order_id

    async def cancelled(self) -> str:
        async with self.world.carrier_at(STANDSTILL):
            order_id, _ = await self._buy(GOOD_CARD)
            await self.shop.cancel(self.customer, order_id, "Changed my mind")
            await self._until(order_id, holds_no_money)
        return order_id

    async def refunded(self) -> str:
        order_id = await self.happy()
        lines = [{"line_no": 1, "quantity": 1}]
        await self.shop.refund(self.support, order_id, {"reason": "One arrived broken", "lines": lines})
        await self._until(order_id, lambda order: bool(order.refunds) and not refunds_open(order))
        return order_id

    async def failing_compensation(self) -> str:
        """The provider refuses to void until support has seen it; then it is tried again."""
        order_id, _ = await self._buy(ASKED_CARD)
        async with self.world.voids_fail():
            await self.shop.cancel(self.customer, order_id, "Changed my mind")
            await self._parked(order_id, parked=True, seconds=_PARKED_WITHIN)
        await self.shop.retry_undo(self.support, order_id, "void the payment")
        await self._parked(order_id, parked=False, seconds=_PATIENCE)
        await self._until(order_id, holds_no_money)
        return order_id

    async def _buy(self, card: str, quantity: int = 2) -> tuple[str, str]:
        """The order and the secret of the bank's question, empty if it asks none. Raises Refused."""
        cart = await self.shop.new_cart(self.customer, CURRENCY)
        await self.shop.put_item(self.customer, cart.id, _SKU, quantity)
        answer = (await self.shop.check_out(self.customer, checkout(cart.id, "story", "GB", card))).answer
        if isinstance(answer, Refused):
            raise answer
        return answer.order_id, (answer.action.client_secret or "") if answer.action else ""

    async def _refused(self, card: str, quantity: int) -> str:
        try:
            order_id, _ = await self._buy(card, quantity)
        except Refused as refused:
            return str((refused.problem.model_extra or {})["order_id"])
        raise StackError(f"order {order_id} was to be refused")

    async def _until(self, order_id: str, ended: Ended) -> None:
        await self._wait(f"order {order_id}", _PATIENCE, lambda: self._is(order_id, ended))
        await asyncio.sleep(_MESSAGES_LEAVE)

    async def _is(self, order_id: str, ended: Ended) -> bool:
        return ended(await self.shop.order(self.support, order_id))

    async def _parked(self, order_id: str, *, parked: bool, seconds: float) -> None:
        async def reached() -> bool:
            return (order_id in await self.shop.needing_attention(self.support)) is parked

        await self._wait(f"support's list with {order_id}", seconds, reached)

    async def _wait(self, what: str, seconds: float, reached: Callable[[], Awaitable[bool]]) -> None:
        deadline = time.monotonic() + seconds
        while not await reached():
            if time.monotonic() > deadline:
                raise StackError(f"{what} did not get there within {seconds:.0f} s")
            await asyncio.sleep(0.3)


@asynccontextmanager
async def open_stories() -> AsyncIterator[Stories]:
    """On the running local stack. Raises StackError when there is none."""
    endpoints = running_endpoints()
    if endpoints is None:
        raise StackError("the local stack is not running; `make dev` starts it")
    async with httpx.AsyncClient(base_url=str(endpoints["gateway"]), timeout=30.0) as client:
        yield Stories(
            Shop(client),
            World(client, str(endpoints["stripe_api"]), str(endpoints["carrier_api"])),
            Caller(token=sign_in("customer")),
            Caller(token=sign_in("support")),
        )
