"""Connections to PostgreSQL: pool, time limits, JSON."""

import json

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

DRIVER = "postgresql+psycopg"


def sqlalchemy_url(url: str) -> URL:
    """Takes libpq's `postgresql://` and SQLAlchemy's `postgresql+psycopg://` alike."""
    return make_url(url).set(drivername=DRIVER)


def create_engine(
    url: str,
    *,
    pool_size: int = 10,
    application_name: str = "commerce",
    statement_timeout: float = 10.0,
    lock_timeout: float = 5.0,
    idle_in_transaction_timeout: float = 15.0,
    pool_timeout: float = 10.0,
) -> AsyncEngine:
    """An engine with at most `pool_size` connections. Times are in seconds.

    No overflow: pools × processes must stay below `max_connections`, a burst waits for a connection.
    """
    limits = {
        "statement_timeout": statement_timeout,
        "lock_timeout": lock_timeout,
        "idle_in_transaction_session_timeout": idle_in_transaction_timeout,
    }
    options = [f"-c {name}={int(seconds * 1000)}" for name, seconds in limits.items()]
    return create_async_engine(
        sqlalchemy_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout,
        pool_use_lifo=True,
        json_serializer=_compact_json,
        hide_parameters=True,
        connect_args={
            "application_name": application_name,
            "connect_timeout": 5,
            "options": " ".join([*options, "-c timezone=UTC"]),
        },
    )


def _compact_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
