"""The shop as its clients see it: the gateway's REST, spoken with httpx."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
from pydantic import BaseModel

from api.schemas.base import Page, ProblemDocument
from api.schemas.carts import NewCartView
from api.schemas.checkouts import CheckoutView
from api.schemas.orders import AttentionItem, OrderView, RefundView
from devstack.errors import StackError

Json = dict[str, object]
M = TypeVar("M", bound=BaseModel)

_TRIES = 20
_RETRIED = {202, 503}
_IN_FLIGHT = "idempotency-in-flight"


@dataclass(frozen=True)
class Caller:
    """Who calls: a person by access token, a guest by the cart's secret, or both missing."""

    token: str | None = None
    cart_token: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {**headers, "X-Cart-Token": self.cart_token} if self.cart_token else headers


class Refused(Exception):
    """The gateway said no, as a problem document."""

    def __init__(self, problem: ProblemDocument) -> None:
        super().__init__(f"{problem.title} ({problem.status} {slug_of(problem)})")
        self.problem = problem


@dataclass(frozen=True)
class FirstAnswer:
    """`seconds` from the POST to its reply, of the first try."""

    answer: CheckoutView | Refused
    seconds: float


class Shop:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def new_cart(self, caller: Caller, currency: str) -> NewCartView:
        return await self._parsed(NewCartView, "POST", "/v1/carts", caller, {"currency": currency})

    async def put_item(self, caller: Caller, cart_id: str, sku: str, quantity: int) -> None:
        """Raises Refused."""
        path = f"/v1/carts/{cart_id}/items/{sku}"
        _check(await self._send("PUT", path, caller, {"quantity": quantity}))

    async def check_out(self, caller: Caller, checkout: Json) -> FirstAnswer:
        """Repeats with the same key while the order is still processing; a refusal is an answer."""
        key = _key()
        began = time.perf_counter()
        response = await self._send("POST", "/v1/checkouts", caller, checkout, key)
        seconds = time.perf_counter() - began
        for _ in range(_TRIES):
            if response.status_code not in _RETRIED and not _in_flight(response):
                break
            await asyncio.sleep(0.5)
            response = await self._send("POST", "/v1/checkouts", caller, checkout, key)
        if response.status_code >= 400:
            return FirstAnswer(_refusal(response), seconds)
        return FirstAnswer(CheckoutView.model_validate_json(response.content), seconds)

    async def order(self, caller: Caller, order_id: str) -> OrderView:
        return await self._parsed(OrderView, "GET", f"/v1/orders/{order_id}", caller)

    async def newest_orders(self, caller: Caller, wanted: set[str]) -> dict[str, OrderView]:
        """Those of the wanted orders, looked for from the newest back until all are found."""
        found: dict[str, OrderView] = {}
        cursor: str | None = None
        while len(found) < len(wanted):
            path = "/v1/orders?limit=100" + (f"&cursor={cursor}" if cursor else "")
            page = await self._parsed(Page[OrderView], "GET", path, caller)
            found |= {order.id: order for order in page.items if order.id in wanted}
            cursor = page.next_cursor
            if cursor is None:
                break
        return found

    async def cancel(self, caller: Caller, order_id: str, reason: str) -> OrderView:
        """Raises Refused."""
        path = f"/v1/orders/{order_id}/cancel"
        return await self._parsed(OrderView, "POST", path, caller, {"reason": reason}, key=_key())

    async def refund(self, caller: Caller, order_id: str, refund: Json) -> RefundView:
        """Raises Refused."""
        path = f"/v1/orders/{order_id}/refunds"
        return await self._parsed(RefundView, "POST", path, caller, refund, key=_key())

    async def needing_attention(self, caller: Caller) -> set[str]:
        """Ids of orders that wait for a person."""
        page = await self._parsed(Page[AttentionItem], "GET", "/v1/admin/attention?limit=100", caller)
        return {item.order_id for item in page.items}

    async def retry_undo(self, caller: Caller, order_id: str, step: str) -> None:
        """Raises Refused."""
        path = f"/v1/admin/orders/{order_id}/compensations/{quote(step)}"
        _check(await self._send("POST", path, caller, {"resolution": "retry"}))

    async def receive_goods(self, caller: Caller, sku: str, movement: Json) -> None:
        """Raises Refused."""
        _check(await self._send("POST", f"/v1/stock/{sku}/movements", caller, movement, _key()))

    async def _parsed(
        self,
        model: type[M],
        method: str,
        path: str,
        caller: Caller,
        body: Json | None = None,
        *,
        key: str | None = None,
    ) -> M:
        response = await self._send(method, path, caller, body, key)
        _check(response)
        return model.model_validate_json(response.content)

    async def _send(
        self, method: str, path: str, caller: Caller, body: Json | None = None, key: str | None = None
    ) -> httpx.Response:
        """Every call here may be repeated: reads, absolute quantities, or posts with a key."""
        headers = {**caller.headers, "Idempotency-Key": key} if key else caller.headers
        for attempt in range(_TRIES):
            try:
                return await self._client.request(method, path, json=body, headers=headers)
            except httpx.TransportError as failure:
                lost = failure
                await asyncio.sleep(min(0.1 * 2**attempt, 2.0))
        raise StackError(f"the gateway does not answer: {lost}")


def slug_of(problem: ProblemDocument) -> str:
    return problem.type.rsplit("/", 1)[-1]


def _key() -> str:
    return f"demo-{uuid4()}"


def _in_flight(response: httpx.Response) -> bool:
    return response.status_code == 409 and slug_of(_refusal(response).problem) == _IN_FLIGHT


def _check(response: httpx.Response) -> None:
    if response.status_code >= 400:
        raise _refusal(response)


def _refusal(response: httpx.Response) -> Refused:
    return Refused(ProblemDocument.model_validate_json(response.content))
