"""The order's timeline as server-sent events."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from api.services import stream
from commerce.contracts.statuses import FulfilmentState, OrderState, PaymentState
from tests.integration.api.bench import Shop
from tests.integration.api.orders import SYSTEM, Bought, bought, captured

Event = dict[str, str]


@asynccontextmanager
async def following(
    shop: Shop, order: Bought, headers: dict[str, str] | None = None
) -> AsyncIterator[AsyncIterator[Event]]:
    url = f"/v1/orders/{order.order_id}/events"
    async with shop.http.stream("GET", url, headers={**order.headers, **(headers or {})}) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer.aiter_lines())


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    event: Event = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if not line and event:
            yield event
            event = {}
        elif name in {"id", "event", "data"}:
            event[name] = value


async def _note(shop: Shop, order: Bought, kind: str) -> None:
    async with shop.gateway.database.transaction(SYSTEM) as tx:
        await tx.timeline.add(order.order_id, kind, f"It is {kind}.", {"n": 1})


async def test_the_stream_is_the_timeline_and_ends_when_all_is_done(shop: Shop) -> None:
    order = await captured(shop, "stream-1")
    async with shop.gateway.database.transaction(SYSTEM) as tx:
        await tx.orders.move(order.order_id, fulfilment=FulfilmentState.DELIVERED)
    async with following(shop, order) as events:
        seen = [event async for event in events]
    timeline = (await shop.http.get(f"/v1/orders/{order.order_id}/timeline", headers=order.headers)).json()[
        "items"
    ]
    assert [json.loads(event["data"]) for event in seen[:-1]] == timeline
    assert [event["id"] for event in seen[:-1]] == [str(item["seq"]) for item in timeline]
    assert seen[-1] == {"event": "end", "data": "final"}


async def test_it_goes_on_after_the_last_event_seen(shop: Shop) -> None:
    order = await captured(shop, "stream-2")
    async with shop.gateway.database.transaction(SYSTEM) as tx:
        await tx.orders.move(order.order_id, fulfilment=FulfilmentState.DELIVERED)
    async with following(shop, order) as events:
        first = await anext(events)
    async with following(shop, order, {"Last-Event-ID": first["id"]}) as events:
        rest = [event async for event in events]
    assert [event["event"] for event in rest] == ["timeline", "end"]
    assert json.loads(rest[0]["data"])["kind"] == "captured"
    async with following(shop, order, {"Last-Event-ID": "nonsense"}) as events:
        assert (await anext(events))["id"] == first["id"]


async def test_news_arrives_at_once_by_valkey(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "POLL_SECONDS", 60.0)
    order = await bought(shop, "stream-3")
    async with following(shop, order) as events:
        await anext(events)
        await asyncio.sleep(0.2)
        started = time.monotonic()
        await _note(shop, order, "packed")
        event = await asyncio.wait_for(anext(events), 5)
        assert json.loads(event["data"])["kind"] == "packed"
        assert time.monotonic() - started < 2
        await _note(shop, order, "labelled")
        assert json.loads((await asyncio.wait_for(anext(events), 5))["data"])["kind"] == "labelled"


async def test_without_valkey_it_is_late_and_loses_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object) -> None: ...

    monkeypatch.setattr(stream, "POLL_SECONDS", 0.2)
    monkeypatch.setattr(type(shop.gateway.live), "publish", silent)
    order = await bought(shop, "stream-4")
    async with following(shop, order) as events:
        await anext(events)
        await _note(shop, order, "packed")
        event = await asyncio.wait_for(anext(events), 5)
        assert json.loads(event["data"])["kind"] == "packed"


async def test_it_waits_for_the_money_of_a_cancelled_order(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "POLL_SECONDS", 0.1)
    order = await captured(shop, "stream-5")
    async with shop.gateway.database.transaction(SYSTEM) as tx:
        await tx.orders.move(order.order_id, order=OrderState.CANCELLED, cancel_reason="cancelled")
        await tx.timeline.add(order.order_id, "cancelled", "Cancelled.")
    async with following(shop, order) as events:
        for _ in range(3):
            await anext(events)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting := asyncio.ensure_future(anext(events))), 0.5)
        async with shop.gateway.database.transaction(SYSTEM) as tx:
            await tx.orders.move(order.order_id, payment=PaymentState.REFUNDED)
            await tx.timeline.add(order.order_id, "refunded", "5.10 GBP was given back.")
        assert json.loads((await asyncio.wait_for(waiting, 5))["data"])["kind"] == "refunded"
        assert (await asyncio.wait_for(anext(events), 5))["event"] == "end"


async def test_it_ends_with_the_access_token(shop: Shop) -> None:
    order = await bought(shop, "stream-6")
    short = {"Authorization": f"Bearer {shop.desk.token('ada', 'customer', seconds=2)}"}
    started = time.monotonic()
    async with following(shop, order, short) as events:
        seen = [event async for event in events]
    assert [event["event"] for event in seen] == ["timeline"]
    assert time.monotonic() - started < 4


async def test_a_strangers_stream_is_not_opened(shop: Shop) -> None:
    order = await bought(shop, "stream-7")
    answer = await shop.http.get(f"/v1/orders/{order.order_id}/events", headers=shop.person("bob"))
    assert answer.status_code == 404


async def test_a_quiet_stream_gives_signs_of_life(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.2)
    order = await bought(shop, "stream-8")
    url = f"/v1/orders/{order.order_id}/events"
    async with shop.http.stream("GET", url, headers=order.headers) as answer, asyncio.timeout(5):
        async for line in answer.aiter_lines():
            if line == ": ping":
                break
        else:
            pytest.fail("the stream ended without a sign of life")
