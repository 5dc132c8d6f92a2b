import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from commerce.domain.errors import ProviderUnavailable
from commerce.runtime.loops import BATCH, Relay, wake_on_news


class Batches:
    """Answers with planned batch sizes or failures, then with nothing to do."""

    def __init__(self, *plan: int | Exception) -> None:
        self._plan = list(plan)
        self.runs = 0

    async def run_once(self, limit: int) -> int:
        self.runs += 1
        assert limit == BATCH
        step = self._plan.pop(0) if self._plan else 0
        if isinstance(step, Exception):
            raise step
        return step


async def running(relay: Relay, reached: Callable[[], bool]) -> None:
    task = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(5):
            while not reached():  # noqa: ASYNC110 - looks at what the relay counts
                await asyncio.sleep(0.01)
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("failure", [ProviderUnavailable("down"), KeyError("a fault of ours")])
async def test_a_relay_goes_on_after_any_failure(failure: Exception) -> None:
    batches = Batches(failure, 1)
    await running(Relay("outbox", batches.run_once, poll_seconds=60), lambda: batches.runs >= 2)


async def test_full_batches_follow_one_another_without_waiting() -> None:
    batches = Batches(BATCH, BATCH, 1)
    await running(Relay("outbox", batches.run_once, poll_seconds=60), lambda: batches.runs >= 3)
    assert batches.runs == 3


async def test_a_notification_wakes_the_relay_of_its_channel_alone() -> None:
    inbox, outbox = Batches(), Batches()
    relays = {
        "inbox": Relay("inbox", inbox.run_once, poll_seconds=60),
        "outbox": Relay("outbox", outbox.run_once, poll_seconds=60),
    }

    async def news() -> AsyncIterator[str]:
        while inbox.runs < 1 or outbox.runs < 1:  # noqa: ASYNC110 - looks at what the relays count
            await asyncio.sleep(0.01)
        yield "inbox"
        yield "unknown"

    async with asyncio.timeout(5):
        tasks = [asyncio.create_task(relay.run()) for relay in relays.values()]
        await wake_on_news(news(), relays)
        while inbox.runs < 2:  # noqa: ASYNC110 - looks at what the relay counts
            await asyncio.sleep(0.01)
    assert outbox.runs == 1
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
