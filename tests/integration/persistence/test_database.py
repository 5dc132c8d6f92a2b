import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import psycopg
import pytest
from integration.persistence.builders import CONTEXT, TEA, create_order
from integration.persistence.conftest import libpq
from integration.persistence.test_messages import event, message
from sqlalchemy.exc import DBAPIError

from commerce.domain.errors import NotFound, ProviderUnavailable
from commerce.persistence.database import SqlDatabase, connect
from commerce.persistence.engine import create_engine
from commerce.persistence.listener import listen
from devstack.testing import Database


class Stop(Exception):
    """Ends a transaction halfway."""


@asynccontextmanager
async def suppressing_stop() -> AsyncIterator[None]:
    with pytest.raises(Stop):
        yield


def kill_others(database: Database, name: str) -> None:
    """Ends the app role's connections of this name, as a restart of the server would."""
    with psycopg.connect(libpq(database.app_url), autocommit=True) as killer:
        killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = %s",
            [name],
        )


class Radio:
    """Remembers what was published; fails or hangs when told to."""

    def __init__(self, *, failure: Exception | None = None, hangs: bool = False) -> None:
        self.heard: list[tuple[str, str]] = []
        self._failure = failure
        self._hangs = hangs

    async def publish(self, channel: str, message: str) -> None:
        if self._hangs:
            await asyncio.sleep(3600)
        if self._failure:
            raise self._failure
        self.heard.append((channel, message))

    def listen(self, channel: str) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        raise NotImplementedError


async def test_an_exception_rolls_everything_back(db: SqlDatabase) -> None:
    async with suppressing_stop(), db.transaction(CONTEXT) as tx:
        await tx.stock.move(TEA, "main", 5, "delivery", "k")
        await tx.audit.add("stock.move", "sku", TEA)
        raise Stop
    async with db.reading() as tx:
        assert (await tx.stock.level(TEA)).on_hand == 14
        assert await tx.audit.list(TEA, None, 10) == ([], None)


async def test_reading_sees_one_snapshot_and_writes_nothing(db: SqlDatabase) -> None:
    async with db.reading() as tx:
        assert (await tx.stock.level(TEA)).on_hand == 14
        async with db.transaction(CONTEXT) as writer:
            await writer.stock.move(TEA, "main", 5, "delivery", "k")
        assert (await tx.stock.level(TEA)).on_hand == 14
    with pytest.raises(DBAPIError) as refusal:
        async with db.reading() as tx:
            await tx.audit.add("a", "o", "1")
    assert isinstance(refusal.value.orig, psycopg.errors.ReadOnlySqlTransaction)
    async with db.transaction(CONTEXT) as tx:
        assert (await tx.stock.level(TEA)).on_hand == 19
        await tx.audit.add("a", "o", "1")


async def test_connections_carry_their_name_and_limits(database: Database) -> None:
    engine = create_engine(
        database.app_url, application_name="commerce-test", statement_timeout=1.5, lock_timeout=0.25
    )
    names = (
        "application_name",
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "TimeZone",
    )
    async with engine.connect() as connection:
        shown = [(await connection.exec_driver_sql(f"SHOW {name}")).scalar_one() for name in names]
    await engine.dispose()
    assert shown == ["commerce-test", "1500ms", "250ms", "15s", "UTC"]


async def test_a_lock_not_had_in_time_is_unavailable(database: Database, db: SqlDatabase) -> None:
    order = await create_order(db)
    impatient = SqlDatabase(create_engine(database.app_url, lock_timeout=0.05))
    async with db.transaction(CONTEXT) as tx:
        await tx.orders.get(order.id, lock=True)
        with pytest.raises(ProviderUnavailable) as refusal:
            async with impatient.transaction(CONTEXT) as other:
                await other.orders.get(order.id, lock=True)
    assert refusal.value.code == "55P03"
    await impatient.close()


async def test_a_deadlock_ends_as_unavailable_for_one_of_the_two(db: SqlDatabase) -> None:
    orders = [await create_order(db), await create_order(db)]
    both_hold = asyncio.Barrier(2)

    async def cross(first: str, second: str) -> str:
        try:
            async with db.transaction(CONTEXT) as tx:
                await tx.orders.get(first, lock=True)
                await both_hold.wait()
                await tx.orders.get(second, lock=True)
        except ProviderUnavailable as error:
            return str(error.code)
        return "done"

    ids = [order.id for order in orders]
    assert sorted(await asyncio.gather(cross(*ids), cross(*reversed(ids)))) == ["40P01", "done"]


async def test_a_lost_connection_is_unavailable_and_the_next_one_works(
    db: SqlDatabase, database: Database
) -> None:
    async def interrupted() -> None:
        async with db.transaction(CONTEXT) as tx:
            await tx.stock.move(TEA, "main", 5, "delivery", "k")
            kill_others(database, "commerce")
            await tx.stock.level(TEA)

    with pytest.raises(ProviderUnavailable):
        await interrupted()
    await db.ping()
    async with db.reading() as tx:
        assert (await tx.stock.level(TEA)).on_hand == 14


async def test_no_server_and_no_free_connection_are_unavailable(database: Database) -> None:
    nowhere = connect("postgresql://commerce_app:app@127.0.0.1:1/commerce")
    with pytest.raises(ProviderUnavailable):
        await nowhere.ping()
    narrow = SqlDatabase(create_engine(database.app_url, pool_size=1, pool_timeout=0.05))
    async with narrow.transaction(CONTEXT):
        with pytest.raises(ProviderUnavailable):
            await narrow.ping()
    await narrow.ping()
    await narrow.close()
    await nowhere.close()


async def test_business_errors_pass_through(db: SqlDatabase) -> None:
    with pytest.raises(NotFound):
        async with db.transaction(CONTEXT) as tx:
            await tx.orders.get("x")


async def test_a_commit_tells_the_newest_entry_of_each_order_and_a_rollback_nothing(
    database: Database, db: SqlDatabase
) -> None:
    radio = Radio()
    first, second = await create_order(db), await create_order(db)
    live = SqlDatabase(create_engine(database.app_url), radio)
    async with live.transaction(CONTEXT) as tx:
        for order_id in (first.id, second.id, first.id):
            await tx.timeline.add(order_id, "k", "t")
        assert radio.heard == []
    async with suppressing_stop(), live.transaction(CONTEXT) as tx:
        await tx.timeline.add(first.id, "k", "t")
        raise Stop
    await live.close()
    async with db.reading() as tx:
        newest = {order.id: (await tx.timeline.list(order.id, 0, 10))[-1].seq for order in (first, second)}
    assert radio.heard == [(f"order:{order_id}", str(seq)) for order_id, seq in newest.items()]


@pytest.mark.parametrize("radio", [Radio(failure=ConnectionError("no valkey")), Radio(hangs=True)])
async def test_a_dead_listener_server_costs_the_commit_nothing(
    database: Database, db: SqlDatabase, radio: Radio
) -> None:
    order = await create_order(db)
    live = SqlDatabase(create_engine(database.app_url), radio)
    started = asyncio.get_running_loop().time()
    async with live.transaction(CONTEXT) as tx:
        await tx.timeline.add(order.id, "k", "t")
    assert asyncio.get_running_loop().time() - started < 0.5
    await live.close()
    async with db.reading() as tx:
        assert len(await tx.timeline.list(order.id, 0, 10)) == 1


async def test_listen_wakes_on_commit_and_comes_back_after_a_lost_connection(
    database: Database, db: SqlDatabase
) -> None:
    wake_ups = listen(database.app_url, ["outbox", "inbox"])
    heard = [await asyncio.wait_for(anext(wake_ups), 5) for _ in range(2)]
    assert heard == ["outbox", "inbox"]
    async with db.transaction(CONTEXT) as tx:
        await tx.inbox.store(event("e1"))
    assert await asyncio.wait_for(anext(wake_ups), 5) == "inbox"
    kill_others(database, "commerce-listener")
    assert [await asyncio.wait_for(anext(wake_ups), 5) for _ in range(2)] == ["outbox", "inbox"]
    async with db.transaction(CONTEXT) as tx:
        await tx.outbox.add(message("e1"))
    assert await asyncio.wait_for(anext(wake_ups), 5) == "outbox"
    await wake_ups.aclose()
