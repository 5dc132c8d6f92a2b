"""Opens units of work on PostgreSQL and tells the live listeners what was committed."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from commerce.contracts.context import RequestContext
from commerce.domain.ports import LiveUpdates, UnitOfWork
from commerce.persistence.engine import create_engine
from commerce.persistence.errors import database_errors
from commerce.persistence.unit_of_work import SqlUnitOfWork
from commerce.persistence.work import Work

_READER = RequestContext(request_id="read")
_NEWS_TIMEOUT = 1.0
_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
"""As a statement: setting it on the connection and taking it back costs more than all of a short read."""

log = structlog.get_logger(__name__)


class SqlDatabase:
    """The port `Database`. With `live`, each commit publishes `order:{id}` with the newest timeline `seq`."""

    def __init__(self, engine: AsyncEngine, live: LiveUpdates | None = None) -> None:
        self._engine = engine
        self._live = live
        self._telling: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def transaction(self, context: RequestContext) -> AsyncIterator[UnitOfWork]:
        """Commits when the block ends, rolls back on any exception. Raises ProviderUnavailable.

        When the connection is lost during the commit, it may have happened: repeating must be harmless.
        """
        with database_errors():
            async with self._engine.begin() as connection:
                work = Work(connection, context)
                yield SqlUnitOfWork(work)
        self._tell(work.news)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[UnitOfWork]:
        """A read-only transaction with one snapshot. Raises ProviderUnavailable."""
        with database_errors():
            async with self._engine.connect() as connection:
                await connection.execute(_SNAPSHOT)
                yield SqlUnitOfWork(Work(connection, _READER))

    async def ping(self) -> None:
        with database_errors():
            async with self._engine.connect() as connection:
                await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Waits for news under way (a second at most) and closes all connections."""
        await asyncio.gather(*self._telling)
        await self._engine.dispose()

    def _tell(self, news: Mapping[str, int]) -> None:
        """In the background: a commit never waits for a listener's server."""
        if self._live is None or not news:
            return
        task = asyncio.create_task(_publish(self._live, dict(news)))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


async def _publish(live: LiveUpdates, news: Mapping[str, int]) -> None:
    try:
        async with asyncio.timeout(_NEWS_TIMEOUT):
            for order_id, seq in news.items():
                await live.publish(f"order:{order_id}", str(seq))
    except Exception as error:  # best effort: a listener's server must not touch the commit
        log.warning("live_update_lost", orders=list(news), error=repr(error))


def connect(
    url: str, *, pool_size: int = 10, application_name: str = "commerce", live: LiveUpdates | None = None
) -> SqlDatabase:
    """A database whose connections are opened as needed; `close` it at the end."""
    return SqlDatabase(create_engine(url, pool_size=pool_size, application_name=application_name), live)
