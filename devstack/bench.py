"""`make bench`: first answers and processor time of orders on the running stack.

Real orders through the gateway: some alone, then many at once; then all are followed to delivery. Other
load on the machine shows in the figures. They are of this machine and its emulators, not of production.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from uuid import uuid4

import httpx
from rich.console import Console
from rich.table import Table

from devstack.cpu import seconds_by_part
from devstack.environment import Endpoints, running_endpoints
from devstack.errors import StackError
from devstack.home import Home
from devstack.leftovers import Record

_COUNTED = ("gateway", "worker", "postgres", "valkey", "temporal")
_WARM_UP = 3
_DELIVERED_WITHIN = 180.0
_ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}


class Shopper:
    """Buys one piece of one article as the demo customer."""

    def __init__(self, client: httpx.AsyncClient, sku: str) -> None:
        self._client = client
        self._sku = sku

    async def buy(self) -> tuple[str, float]:
        """Order id, and seconds from the POST of the checkout to its first answer."""
        cart = _json(await self._client.post("/v1/carts", json={"currency": "GBP"}))["id"]
        _json(await self._client.put(f"/v1/carts/{cart}/items/{self._sku}", json={"quantity": 1}))
        checkout = {
            "cart_id": cart,
            "email": "bench@example.com",
            "shipping_address": _ADDRESS,
            "shipping_method": "standard",
            "payment": {"provider": "stripe", "token": "pm_card_visa"},
        }
        began = time.perf_counter()
        answer = await self._client.post(
            "/v1/checkouts", json=checkout, headers={"Idempotency-Key": f"bench-{uuid4()}"}
        )
        return str(_json(answer)["order_id"]), time.perf_counter() - began

    async def delivered(self, order_id: str, deadline: float) -> None:
        while _json(await self._client.get(f"/v1/orders/{order_id}"))["status"] != "Delivered":
            if time.monotonic() > deadline:
                raise StackError(f"order {order_id} was not delivered within {_DELIVERED_WITHIN:.0f} s")
            await asyncio.sleep(1.0)


def _json(answer: httpx.Response) -> dict[str, object]:
    if answer.is_error:
        raise StackError(
            f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}"
        )
    body: dict[str, object] = answer.json()
    return body


async def measure(endpoints: Endpoints, alone: int, together: int, at_once: int, console: Console) -> None:
    pids = {name: i.pid for name, i in Record(Home.find().processes).read().items() if name in _COUNTED}
    tokens = endpoints["tokens"]
    headers = {"Authorization": f"Bearer {tokens['customer']}"} if isinstance(tokens, dict) else {}
    async with httpx.AsyncClient(base_url=str(endpoints["gateway"]), headers=headers, timeout=60) as client:
        shopper = Shopper(client, await _some_sku(client))
        warm = [await shopper.buy() for _ in range(_WARM_UP)]
        await _all_delivered(shopper, [order for order, _ in warm])
        before = seconds_by_part(pids)
        console.print(f"{alone} orders one after the other …")
        singles = [await shopper.buy() for _ in range(alone)]
        await _all_delivered(shopper, [order for order, _ in singles])
        console.print(f"{together} orders, {at_once} at once …")
        gate, began = asyncio.Semaphore(at_once), time.perf_counter()

        async def one() -> tuple[str, float]:
            async with gate:
                return await shopper.buy()

        crowd = await asyncio.gather(*(one() for _ in range(together)))
        took = time.perf_counter() - began
        await _all_delivered(shopper, [order for order, _ in crowd])
        after = seconds_by_part(pids)
    spent = {name: (after[name] - before[name]) / (alone + together) * 1000 for name in pids}
    console.print(_report([s for _, s in singles], [s for _, s in crowd], together / took, spent))


async def _some_sku(client: httpx.AsyncClient) -> str:
    page = (await client.get("/v1/products", params={"limit": 100})).raise_for_status().json()
    variants = [variant for product in page["items"] for variant in product["variants"]]
    return str(max(variants, key=lambda variant: variant["available"])["sku"])


async def _all_delivered(shopper: Shopper, orders: Sequence[str]) -> None:
    deadline = time.monotonic() + _DELIVERED_WITHIN
    for order in orders:
        await shopper.delivered(order, deadline)


def _report(singles: Sequence[float], crowd: Sequence[float], rate: float, spent: dict[str, float]) -> Table:
    table = Table("measured", "value", title="first answers and processor time", title_justify="left")
    for name, seconds in (("alone", singles), ("at once", crowd)):
        ordered = sorted(seconds)
        slow = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
        median = statistics.median(ordered)
        table.add_row(f"first answer, {name}: median / p95", f"{median * 1000:.0f} / {slow * 1000:.0f} ms")
    table.add_row("orders placed while many at once", f"{rate:.1f} a second")
    for name, milliseconds in spent.items():
        table.add_row(f"processor time per delivered order, {name}", f"{milliseconds:.0f} ms")
    table.add_row("processor time per delivered order, together", f"{sum(spent.values()):.0f} ms")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m devstack.bench", description=__doc__)
    parser.add_argument("--alone", type=int, default=10, help="orders one after the other")
    parser.add_argument("--together", type=int, default=40, help="orders with many at once")
    parser.add_argument("--at-once", type=int, default=20)
    arguments = parser.parse_args()
    console = Console()
    endpoints = running_endpoints()
    try:
        if endpoints is None:
            raise StackError("the stack is not running; `make dev` starts it")
        asyncio.run(measure(endpoints, arguments.alone, arguments.together, arguments.at_once, console))
    except StackError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
