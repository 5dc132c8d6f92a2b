"""An order's timeline, live: rows after the last one seen, woken by Valkey, else by a slow look."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from fastapi.sse import ServerSentEvent

from api.deps import Call
from api.errors import CursorMalformed
from api.metrics import STREAMS
from api.services.timeline import is_shown, parse_seq
from api.situation import is_final
from api.views import timeline_item
from commerce.domain.errors import ProviderUnavailable

POLL_SECONDS = 5.0
"""How long a stream may be behind when no wake-up comes."""
PAGE = 100


async def follow(call: Call, order_id: str, last_event_id: str | None) -> AsyncIterator[ServerSentEvent]:
    """The same items as the timeline's, `seq` as event id, until the order is final or the token ends."""
    seq = _seen(last_event_id)
    with STREAMS.track_inprogress():
        async with Wakeups(call, order_id) as wakeups:
            while True:
                final = await _is_final(call, order_id)
                async for event in _rows_after(call, order_id, seq):
                    seq = int(event.id or seq)
                    yield event
                if final:
                    yield ServerSentEvent(event="end", raw_data="final")
                    return
                if not await wakeups.wait():
                    return


def _seen(last_event_id: str | None) -> int:
    """A browser may send back an id that we never gave: then all is told again."""
    try:
        return parse_seq(last_event_id)
    except CursorMalformed:
        return 0


async def _rows_after(call: Call, order_id: str, seq: int) -> AsyncIterator[ServerSentEvent]:
    while True:
        async with call.gateway.database.reading() as tx:
            entries = await tx.timeline.list(order_id, seq, PAGE)
        for entry in entries:
            seq = entry.seq
            if not is_shown(call, entry):
                continue
            item = timeline_item(entry).model_dump_json()
            yield ServerSentEvent(id=str(seq), event="timeline", raw_data=item)
        if len(entries) < PAGE:
            return


async def _is_final(call: Call, order_id: str) -> bool:
    """Asked before the rows are read, so that the last row is never missed."""
    async with call.gateway.database.reading() as tx:
        return is_final(await tx.orders.view(order_id))


class Wakeups:
    """Waits for news of an order; listens before the first rows are read."""

    def __init__(self, call: Call, order_id: str) -> None:
        self._call = call
        self._channel = f"order:{order_id}"
        self._stack = AsyncExitStack()
        self._news: AsyncIterator[str] | None = None
        self._next: asyncio.Task[str | None] | None = None
        self._drain: asyncio.Task[bool] | None = None

    async def __aenter__(self) -> "Wakeups":
        try:
            self._news = await self._stack.enter_async_context(self._call.gateway.live.listen(self._channel))
        except (ProviderUnavailable, OSError):
            self._news = None
        self._drain = asyncio.ensure_future(self._call.gateway.draining.wait())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (self._next, self._drain):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self._stack.aclose()

    async def wait(self) -> bool:
        """Returns when there may be news; False when the stream has to end."""
        left = self._seconds_left()
        if left <= 0 or self._drain is None or self._drain.done():
            return False
        if self._next is None and self._news is not None:
            self._next = asyncio.ensure_future(_take(self._news))
        waiting = {task for task in (self._next, self._drain) if task is not None}
        await asyncio.wait(waiting, timeout=min(POLL_SECONDS, left), return_when=asyncio.FIRST_COMPLETED)
        if self._next is not None and self._next.done():
            if self._next.result() is None:
                self._news = None
            self._next = None
        return not self._drain.done() and self._seconds_left() > 0

    def _seconds_left(self) -> float:
        identity = self._call.access.identity
        return identity.expires_at.timestamp() - time.time() if identity else POLL_SECONDS


async def _take(news: AsyncIterator[str]) -> str | None:
    """None when there will be no more: the stream then looks by itself."""
    try:
        return await anext(news, None)
    except (ProviderUnavailable, OSError):
        return None
