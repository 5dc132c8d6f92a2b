"""Background loops of a process: woken by PostgreSQL, else by the clock; they outlive any failure."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

from commerce.domain.errors import CommerceError

log = structlog.get_logger(__name__)

BATCH = 50


class Relay:
    """Calls `run_once` until a batch comes back short, then sleeps until `wake` or `poll_seconds`.

    A failure is logged and tried again after a growing pause, at most ten seconds: what a relay moves is
    in the database and waits there.
    """

    def __init__(self, name: str, run_once: Callable[[int], Awaitable[int]], poll_seconds: float) -> None:
        self.name = name
        self._run_once = run_once
        self._poll_seconds = poll_seconds
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Runs until cancelled."""
        pause = 0.2
        while True:
            self._wake.clear()
            try:
                full = await self._run_once(BATCH) >= BATCH
            except Exception as failure:  # the edge of the loop: nothing that is moved may stop the moving
                expected = isinstance(failure, CommerceError)
                log.log(
                    logging.WARNING if expected else logging.ERROR,
                    "relay waits",
                    relay=self.name,
                    error=str(failure),
                    seconds=pause,
                    exc_info=not expected,
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, 10.0)
                continue
            pause = 0.2
            if not full:
                await self._sleep()

    async def _sleep(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), self._poll_seconds)
        except TimeoutError:
            return


async def wake_on_news(news: AsyncIterator[str], relays: dict[str, Relay]) -> None:
    """Passes each channel's NOTIFY to the relay that serves it; runs until cancelled."""
    async for channel in news:
        if channel in relays:
            relays[channel].wake()
