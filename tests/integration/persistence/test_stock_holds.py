import asyncio

import psycopg
import pytest
from integration.persistence.builders import CONTEXT, CUP, TEA, create_order, hold_lines

from commerce.contracts.checkout import Shortage
from commerce.contracts.statuses import ReservationStatus
from commerce.domain.errors import Conflict, Fenced, NotFound, ReservationClosed
from commerce.domain.stock import HoldResult
from commerce.persistence.database import SqlDatabase


async def hold(
    db: SqlDatabase, name: str, *items: tuple[str, int], seconds: int = 60, order_id: str | None = None
) -> HoldResult:
    async with db.transaction(CONTEXT) as tx:
        return await tx.stock.hold(
            name, hold_lines(*items), seconds, cart_id=f"cart_of_{name}", order_id=order_id
        )


async def available(db: SqlDatabase, sku: str) -> int:
    async with db.reading() as tx:
        return (await tx.stock.level(sku)).available


async def status(db: SqlDatabase, name: str) -> ReservationStatus:
    async with db.reading() as tx:
        return (await tx.stock.reservation(name)).status


def run_out(owner: psycopg.Connection, name: str) -> None:
    for table, column in (("reservations", "id"), ("stock_holds", "reservation_id")):
        owner.execute(
            f"UPDATE {table} SET expires_at = now() - interval '1 second' WHERE {column} = %s", [name]
        )
    owner.commit()


async def test_hold_takes_stock_off_what_is_available(db: SqlDatabase) -> None:
    result = await hold(db, "r1", (TEA, 5), (CUP, 6))
    assert result.held
    assert result.expires_at is not None
    async with db.reading() as tx:
        level = await tx.stock.level(TEA)
        reservation = await tx.stock.reservation("r1")
    assert (level.on_hand, level.allocated, level.held, level.available) == (14, 0, 5, 9)
    assert [(part.warehouse, part.on_hand) for part in level.per_warehouse] == [("main", 10), ("north", 4)]
    assert reservation.status is ReservationStatus.HELD
    assert reservation.lines == hold_lines((TEA, 5), (CUP, 6))
    assert await available(db, CUP) == 0


async def test_hold_is_all_or_nothing_and_names_every_short_line(db: SqlDatabase) -> None:
    await hold(db, "other", (CUP, 2))
    result = await hold(db, "r1", (TEA, 15), (CUP, 3), (CUP, 2), ("NONE", 1))
    assert not result.held
    assert result.expires_at is None
    assert result.shortages == [Shortage(1, TEA, 15, 14), Shortage(3, CUP, 2, 1), Shortage(4, "NONE", 1, 0)]
    assert (await available(db, TEA), await available(db, CUP)) == (14, 4)


async def test_one_sku_on_two_lines_counts_together(db: SqlDatabase) -> None:
    assert (await hold(db, "r1", (CUP, 4), (CUP, 2))).held
    assert await available(db, CUP) == 0


async def test_hold_repeated_changes_nothing(db: SqlDatabase) -> None:
    first = await hold(db, "r1", (TEA, 5))
    assert await hold(db, "r1", (TEA, 5), seconds=999) == first
    assert await available(db, TEA) == 9


async def test_hold_that_ran_out_counts_no_more_and_is_tried_again(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    await hold(db, "r1", (TEA, 14))
    run_out(owner, "r1")
    assert await available(db, TEA) == 14
    assert await status(db, "r1") is ReservationStatus.EXPIRED
    assert (await hold(db, "r2", (TEA, 10))).held
    assert (await hold(db, "r1", (TEA, 14))).shortages == [Shortage(1, TEA, 14, 4)]
    assert (await hold(db, "r1", (TEA, 4))).held
    assert await available(db, TEA) == 0


async def test_expiry_goes_by_the_clock_and_not_by_the_start_of_the_transaction(db: SqlDatabase) -> None:
    async with db.transaction(CONTEXT) as tx:
        await tx.stock.level(TEA)
        await hold(db, "short", (TEA, 14), seconds=1)
        await asyncio.sleep(1.05)
        late = await tx.stock.hold("r1", hold_lines((TEA, 14)), 60, cart_id="c", order_id=None)
    assert late.held


async def test_release_gives_back_once_and_fences_a_late_hold(db: SqlDatabase) -> None:
    await hold(db, "r1", (TEA, 5))
    async with db.transaction(CONTEXT) as tx:
        assert await tx.stock.release("r1") is True
        assert await tx.stock.release("r1") is False
    assert await available(db, TEA) == 14
    with pytest.raises(Fenced):
        await hold(db, "r1", (TEA, 5))
    assert await available(db, TEA) == 14
    assert await status(db, "r1") is ReservationStatus.RELEASED


async def test_release_of_an_unknown_id_leaves_a_mark_that_refuses_the_late_hold(db: SqlDatabase) -> None:
    async with db.transaction(CONTEXT) as tx:
        assert await tx.stock.release("late") is False
    with pytest.raises(Fenced):
        await hold(db, "late", (TEA, 1))
    assert await available(db, TEA) == 14


async def test_release_as_expired_fences_too(db: SqlDatabase) -> None:
    await hold(db, "r1", (TEA, 5))
    async with db.transaction(CONTEXT) as tx:
        assert await tx.stock.release("r1", expired=True) is True
    assert await status(db, "r1") is ReservationStatus.EXPIRED
    with pytest.raises(Fenced):
        await hold(db, "r1", (TEA, 5))


async def test_take_over_keeps_the_hold_for_the_order_whatever_the_carts_timer_says(db: SqlDatabase) -> None:
    order = await create_order(db)
    first = await hold(db, "r1", (TEA, 5), seconds=30)
    async with db.transaction(CONTEXT) as tx:
        taken = await tx.stock.take_over("r1", order.id, 600)
        assert taken is not None
        assert await tx.stock.release("r1", expired=True) is False
    assert taken.order_id == order.id
    assert first.expires_at is not None
    assert (taken.expires_at - first.expires_at).total_seconds() > 500
    assert await available(db, TEA) == 9


async def test_take_over_of_a_gone_or_foreign_hold_is_none(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    mine, foreign = await create_order(db), await create_order(db)
    await hold(db, "over", (TEA, 5))
    run_out(owner, "over")
    await hold(db, "foreign", (TEA, 2), order_id=foreign.id)
    async with db.transaction(CONTEXT) as tx:
        assert await tx.stock.take_over("over", mine.id, 600) is None
        assert await tx.stock.take_over("foreign", mine.id, 600) is None
        assert await tx.stock.take_over("unknown", mine.id, 600) is None
    assert await available(db, TEA) == 12


async def test_extend_works_once_and_never_shortens(db: SqlDatabase) -> None:
    first = await hold(db, "r1", (TEA, 5), seconds=600)
    async with db.transaction(CONTEXT) as tx:
        extended = await tx.stock.extend("r1", 10)
    assert (extended.expires_at, extended.extended) == (first.expires_at, True)
    with pytest.raises(ReservationClosed):
        async with db.transaction(CONTEXT) as tx:
            await tx.stock.extend("r1", 9999)
    async with db.reading() as tx:
        assert (await tx.stock.reservation("r1")).expires_at == first.expires_at


async def test_extend_prolongs_the_hold_itself(db: SqlDatabase, owner: psycopg.Connection) -> None:
    await hold(db, "r1", (TEA, 5), seconds=10)
    async with db.transaction(CONTEXT) as tx:
        extended = await tx.stock.extend("r1", 900)
    stored = owner.execute("SELECT expires_at FROM stock_holds WHERE reservation_id = 'r1'").fetchone()
    assert stored == (extended.expires_at,)


async def test_extend_refuses_what_is_over_or_unknown(db: SqlDatabase, owner: psycopg.Connection) -> None:
    await hold(db, "r1", (TEA, 5))
    run_out(owner, "r1")
    for name, refusal in (("r1", ReservationClosed), ("unknown", NotFound)):
        with pytest.raises(refusal):
            async with db.transaction(CONTEXT) as tx:
                await tx.stock.extend(name, 60)
    assert await available(db, TEA) == 14


async def test_plan_holds_nothing_and_only_one_may_live_per_cart(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    async with db.transaction(CONTEXT) as tx:
        await tx.stock.plan_reservation("r1", "cart_a", hold_lines((TEA, 5)), 15)
        await tx.stock.plan_reservation("r1", "cart_a", hold_lines((TEA, 5)), 15)
    assert await status(db, "r1") is ReservationStatus.PLANNED
    assert await available(db, TEA) == 14
    with pytest.raises(Conflict):
        async with db.transaction(CONTEXT) as tx:
            await tx.stock.plan_reservation("r2", "cart_a", hold_lines((TEA, 1)), 15)
    run_out(owner, "r1")
    async with db.transaction(CONTEXT) as tx:
        await tx.stock.plan_reservation("r2", "cart_a", hold_lines((TEA, 1)), 15)
        held = await tx.stock.hold("r2", hold_lines((TEA, 1)), 60, cart_id="cart_a", order_id=None)
        planned = await tx.stock.reservation("r2")
    assert held.held
    assert (planned.status, planned.minutes, planned.lines) == (
        ReservationStatus.HELD,
        15,
        hold_lines((TEA, 1)),
    )


async def test_expire_due_closes_only_what_is_over_and_is_bounded(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    for name in ("r1", "r2", "r3", "alive"):
        await hold(db, name, (TEA, 1))
    for name in ("r1", "r2", "r3"):
        run_out(owner, name)
    async with db.transaction(CONTEXT) as tx:
        assert await tx.stock.expire_due(2) == 2
        assert await tx.stock.expire_due(2) == 1
        assert await tx.stock.expire_due(2) == 0
    left = owner.execute("SELECT reservation_id FROM stock_holds").fetchall()
    assert left == [("alive",)]
    assert await status(db, "alive") is ReservationStatus.HELD
