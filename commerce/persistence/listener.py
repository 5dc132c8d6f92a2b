"""Wake-ups by `LISTEN`: which channel has news. A wake-up may be lost, so whoever waits also polls."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import psycopg
import structlog
from psycopg import sql

from commerce.persistence.engine import sqlalchemy_url

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0

log = structlog.get_logger(__name__)


async def listen(url: str, channels: Sequence[str]) -> AsyncIterator[str]:
    """Yields a channel's name for each notification, and every channel's once after each (re)connection,
    since what was sent in between is lost. Runs until cancelled; a lost connection is made anew.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            async with await _connect(url, channels) as connection:
                pause = _FIRST_PAUSE
                for channel in channels:
                    yield channel
                async for notification in connection.notifies():
                    yield notification.channel
        except psycopg.OperationalError as error:
            log.warning("listener_disconnected", retry_in=pause, error=type(error).__name__)
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def _connect(url: str, channels: Sequence[str]) -> psycopg.AsyncConnection:
    conninfo = sqlalchemy_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await psycopg.AsyncConnection.connect(
        conninfo, autocommit=True, connect_timeout=5, application_name="commerce-listener", keepalives_idle=30
    )
    try:
        for channel in channels:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
    except psycopg.Error:
        with suppress(psycopg.Error):
            await connection.close()
        raise
    return connection
