import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from commerce.domain.errors import ProviderUnavailable
from commerce.providers.valkey import ValkeyLiveUpdates
from devstack import ports
from devstack.servers.valkey import Valkey


@pytest.fixture
async def live(valkey_url: str) -> AsyncIterator[ValkeyLiveUpdates]:
    live = ValkeyLiveUpdates(valkey_url)
    yield live
    await live.close()


async def _next(messages: AsyncIterator[str]) -> str:
    async with asyncio.timeout(5):
        return await anext(messages)


async def test_a_listener_hears_its_channel_from_the_start(live: ValkeyLiveUpdates) -> None:
    async with live.listen("order:1") as messages:
        await live.publish("order:2", "other")
        await live.publish("order:1", "first")
        await live.publish("order:1", "second")

        assert [await _next(messages), await _next(messages)] == ["first", "second"]


async def test_every_listener_of_a_channel_hears_it(live: ValkeyLiveUpdates) -> None:
    async with live.listen("cart:1") as one, live.listen("cart:1") as two:
        await live.publish("cart:1", "news")

        assert [await _next(one), await _next(two)] == ["news", "news"]


async def test_a_wait_that_was_cut_short_ends_nothing(live: ValkeyLiveUpdates) -> None:
    async with live.listen("order:6") as messages:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(messages), 0.05)
        waiting = asyncio.create_task(_next(messages))
        async with asyncio.timeout(5):
            while not waiting.done():
                await live.publish("order:6", "later")
                await asyncio.sleep(0.05)

        assert await waiting == "later"


async def test_leaving_ends_the_subscription(live: ValkeyLiveUpdates) -> None:
    async with live.listen("order:3"):
        pass

    counts = await live._redis.pubsub_numsub("order:3")

    assert counts == [("order:3", 0)]


async def test_a_listener_that_is_cancelled_leaves(live: ValkeyLiveUpdates) -> None:
    async def listen() -> None:
        async with live.listen("order:4") as messages:
            async for _ in messages:
                pass

    task = asyncio.create_task(listen())
    async with asyncio.timeout(5):
        while await live._redis.pubsub_numsub("order:4") != [("order:4", 1)]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await live._redis.pubsub_numsub("order:4") == [("order:4", 0)]


async def test_without_valkey_publishing_only_warns() -> None:
    live = ValkeyLiveUpdates(f"redis://{ports.HOST}:{ports.free_port()}/0")

    with capture_logs() as logs:
        await live.publish("order:1", "lost")
    with pytest.raises(ProviderUnavailable):
        await live.ping()

    await live.close()
    assert [(entry["event"], entry["channel"]) for entry in logs] == [("live update lost", "order:1")]


async def test_a_listener_outlives_a_restart(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "data", ports.free_port(), tmp_path / "log", keep=False)
    live = ValkeyLiveUpdates(server.url)
    async with live.listen("order:5") as messages:
        waiting = asyncio.create_task(_next(messages))
        for _ in range(2):
            child = await asyncio.to_thread(server.start)
            try:
                async with asyncio.timeout(8):
                    while not waiting.done():
                        await live.publish("order:5", "news")
                        await asyncio.sleep(0.1)
                assert await waiting == "news"
                waiting = asyncio.create_task(_next(messages))
            finally:
                await asyncio.to_thread(child.stop)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    await live.close()
