"""The port `LiveUpdates` on Valkey's pub/sub: fast while it is up, silent and harmless while it is down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from commerce.domain.errors import ProviderUnavailable

log = structlog.get_logger(__name__)

_ANSWER_SECONDS = 1.0
_LOOK_SECONDS = 5.0
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0
_DOWN = (RedisError, OSError, TimeoutError)


class ValkeyLiveUpdates:
    """Each listener holds a connection of its own while it listens."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=_ANSWER_SECONDS,
            socket_connect_timeout=_ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )

    async def publish(self, channel: str, message: str) -> None:
        """Never raises: what is lost here is found at the next look."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._redis.publish(channel, message)
        except _DOWN as error:
            log.warning("live update lost", channel=channel, error=type(error).__name__)

    @asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[AsyncIterator[str]]:
        """Subscribed from the first moment inside the block, unless Valkey is down; it then tries again."""
        listener = _Listener(self._redis, channel)
        with suppress(*_DOWN):
            await listener.subscribe()
        try:
            yield listener
        finally:
            await listener.close()

    async def ping(self) -> None:
        """Raises ProviderUnavailable."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._redis.ping()
        except _DOWN as error:
            raise ProviderUnavailable(f"Valkey: {type(error).__name__}", code="not_reached") from error

    async def close(self) -> None:
        await self._redis.aclose()


class _Listener(AsyncIterator[str]):
    """One subscription, made again after every break; waiting for the next message may be cancelled."""

    def __init__(self, redis: Redis, channel: str) -> None:
        self._redis = redis
        self._channel = channel
        self._pubsub: PubSub | None = None

    async def subscribe(self) -> None:
        """Returns once the server has confirmed."""
        pubsub = self._redis.pubsub()
        self._pubsub = pubsub
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await pubsub.subscribe(self._channel)
                while await pubsub.get_message(timeout=_ANSWER_SECONDS) is None:
                    pass
        except BaseException:  # a cancelled wait must not leave its connection open either
            await self.close()
            raise

    async def __anext__(self) -> str:
        wait = _FIRST_WAIT
        while True:
            try:
                if self._pubsub is None:
                    await self.subscribe()
                    wait = _FIRST_WAIT
                message = await self._next()
            except _DOWN as error:
                log.warning("live updates interrupted", channel=self._channel, error=type(error).__name__)
                await self.close()
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
            else:
                if message is not None:
                    return message

    async def close(self) -> None:
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            with suppress(*_DOWN):
                await pubsub.aclose()  # type: ignore[no-untyped-call]  # untyped in redis

    async def _next(self) -> str | None:
        if self._pubsub is None:
            return None
        received = await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=_LOOK_SECONDS)
        return str(received["data"]) if received is not None else None
