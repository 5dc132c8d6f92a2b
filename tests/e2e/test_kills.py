"""Processes are killed while orders are under way: each order is delivered, once, and the books hold."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.shop import Shop, open_shop, open_worker

from devstack.testing import TestServers

ROOT = Path(__file__).parents[2]
STEPS = [
    "verify_promise",
    "reserve_stock",
    "authorise_payment",
    "place_order",
    "capture_payment",
    "buy_label",
    "record_tracking",
    "send_message",
]
MOMENTS = [(step, when) for step in STEPS for when in ("before", "after")]


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_worker_killed_at_every_step_loses_no_order_and_charges_nobody_twice(
    servers: TestServers, tmp_path: Path
) -> None:
    with servers.database() as database:
        async with open_shop(servers, database, answer_within_seconds="0.3") as shop:
            before = await shop.available("84879")
            orders = await _orders_without_a_worker(shop)
            plan = tmp_path / "plan.json"
            plan.write_text(json.dumps(dict(zip(orders, MOMENTS, strict=True))))
            async with _mortal_worker(shop, plan) as deaths:
                delivered = [await shop.wait(order_id, "Delivered", 200) for order_id in orders]
                await _until_all_struck(tmp_path, len(orders))
            assert len(deaths) >= len(MOMENTS)
            for order in delivered:
                total = order["totals"]["total"]["amount"]
                kinds = [(entry["kind"], entry["amount"]) for entry in await shop.journal(order["id"])]
                assert kinds.count(("payment_intent.authorised", total)) == 1
                assert kinds.count(("payment_intent.captured", total)) == 1
            assert await shop.available("84879") == before - 2 * len(orders)
            assert await shop.broken_invariants() == []


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_temporal_killed_under_twenty_orders_finishes_them_all(servers: TestServers) -> None:
    with servers.database() as database:
        async with open_shop(servers, database) as shop, open_worker(shop):
            carts = [await shop.cart({"84879": 1}) for _ in range(20)]
            posts = [
                asyncio.create_task(shop.checkout(cart_id, f"restart-{index}"))
                for index, cart_id in enumerate(carts)
            ]
            await asyncio.sleep(0.4)
            shop.parts.restart_temporal()
            answers = await asyncio.gather(*posts)
            assert {answer.status_code for answer in answers} <= {201, 202}
            for answer in answers:
                order = await shop.wait(answer.json()["order_id"], "Delivered", 120)
                total = order["totals"]["total"]["amount"]
                kinds = [(entry["kind"], entry["amount"]) for entry in await shop.journal(order["id"])]
                assert kinds.count(("payment_intent.captured", total)) == 1
            assert await shop.broken_invariants() == []


async def _orders_without_a_worker(shop: Shop) -> list[str]:
    """Intents whose answer is `processing`, since nobody works."""
    orders = []
    for step, when in MOMENTS:
        answer = await shop.buy({"84879": 2}, f"kill-{step}-{when}")
        assert answer.status_code == 202, answer.text
        assert answer.json()["status"] == "processing"
        orders.append(answer.json()["order_id"])
    return orders


@asynccontextmanager
async def _mortal_worker(shop: Shop, plan: Path) -> AsyncIterator[list[str]]:
    """A worker that is started again whenever it has died; yields the signals that ended it."""
    environment = {
        **os.environ,
        **shop.environment,
        "DYING_WORKER_PLAN": str(plan),
        "PYTHONPATH": f"{ROOT / 'tests'}:{ROOT}",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "support.dying_worker"),
        env=environment,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    deaths: list[str] = []
    listening = asyncio.create_task(_listen(process, deaths))
    try:
        yield deaths
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        await listening
    assert set(deaths) == {str(int(signal.SIGKILL))}, deaths


async def _listen(process: asyncio.subprocess.Process, deaths: list[str]) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        if line.strip().isdigit() or line.strip() == b"exit":
            deaths.append(line.decode().strip())


async def _until_all_struck(folder: Path, count: int) -> None:
    async with asyncio.timeout(60):
        while len(os.listdir(folder)) < count + 1:  # noqa: ASYNC110 - another process makes the files
            await asyncio.sleep(0.2)
