import psycopg
import pytest
from integration.persistence.builders import CONTEXT, CUP, TEA, create_order, hold_lines
from integration.persistence.test_stock_holds import hold, run_out

from commerce.contracts.checkout import Shortage
from commerce.contracts.statuses import ReservationStatus
from commerce.domain.errors import Conflict, Fenced, NotFound
from commerce.domain.orders import Order, ShipmentLine
from commerce.persistence.database import SqlDatabase

ITEMS = ((TEA, 2), (CUP, 1))
PARTS = [ShipmentLine(1, TEA, 2, "main"), ShipmentLine(2, CUP, 1, "main")]


async def allocated_order(db: SqlDatabase, *items: tuple[str, int]) -> Order:
    order = await create_order(db, None, *(items or ITEMS))
    await hold(db, f"r_{order.id}", *(items or ITEMS), order_id=order.id)
    async with db.transaction(CONTEXT) as tx:
        assert (await tx.stock.allocate(f"r_{order.id}", order.id, hold_lines(*(items or ITEMS)))).held
    return order


async def numbers(db: SqlDatabase, sku: str) -> tuple[int, int, int, int]:
    async with db.reading() as tx:
        level = await tx.stock.level(sku)
    return level.on_hand, level.allocated, level.held, level.available


async def test_allocate_turns_the_hold_into_an_allocation(db: SqlDatabase) -> None:
    order = await allocated_order(db)
    assert await numbers(db, TEA) == (14, 2, 0, 12)
    async with db.reading() as tx:
        assert await tx.stock.allocations(order.id) == PARTS
        reservation = await tx.stock.reservation(f"r_{order.id}")
        moved, _ = await tx.stock.movements(TEA, None, 1)
    assert (reservation.status, reservation.order_id) == (ReservationStatus.CONSUMED, order.id)
    assert [(move.kind, move.on_hand_delta, move.allocated_delta, move.order_id) for move in moved] == [
        ("allocate", 0, 2, order.id)
    ]


async def test_allocate_repeated_changes_nothing(db: SqlDatabase) -> None:
    order = await allocated_order(db)
    async with db.transaction(CONTEXT) as tx:
        assert (await tx.stock.allocate(f"r_{order.id}", order.id, hold_lines(*ITEMS))).held
    assert await numbers(db, TEA) == (14, 2, 0, 12)


async def test_allocate_splits_over_warehouses_only_where_none_has_all(db: SqlDatabase) -> None:
    order = await allocated_order(db, (TEA, 12), (TEA, 1), (CUP, 1))
    async with db.reading() as tx:
        assert await tx.stock.allocations(order.id) == [
            ShipmentLine(1, TEA, 10, "main"),
            ShipmentLine(1, TEA, 2, "north"),
            ShipmentLine(2, TEA, 1, "north"),
            ShipmentLine(3, CUP, 1, "main"),
        ]
    assert await numbers(db, TEA) == (14, 13, 0, 1)


async def test_allocate_tries_a_run_out_hold_again_and_names_what_is_short(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    order, other = await create_order(db), await create_order(db)
    await hold(db, "mine", *ITEMS, order_id=order.id)
    run_out(owner, "mine")
    await hold(db, "other", (TEA, 13), order_id=other.id)
    async with db.transaction(CONTEXT) as tx:
        short = await tx.stock.allocate("mine", order.id, hold_lines(*ITEMS))
    assert short.shortages == [Shortage(1, TEA, 2, 1)]
    assert await numbers(db, CUP) == (6, 0, 0, 6)
    async with db.transaction(CONTEXT) as tx:
        await tx.stock.release("other")
        assert (await tx.stock.allocate("mine", order.id, hold_lines(*ITEMS))).held
    assert await numbers(db, TEA) == (14, 2, 0, 12)


async def test_allocate_after_release_or_deallocate_is_fenced(db: SqlDatabase) -> None:
    released, given_back = await create_order(db), await allocated_order(db)
    async with db.transaction(CONTEXT) as tx:
        await tx.stock.release("gone")
        await tx.stock.deallocate(given_back.id)
    for name, order in (("gone", released), (f"r_{given_back.id}", given_back)):
        with pytest.raises(Fenced):
            async with db.transaction(CONTEXT) as tx:
                await tx.stock.allocate(name, order.id, hold_lines(*ITEMS))
    assert await numbers(db, TEA) == (14, 0, 0, 14)


async def test_release_leaves_a_consumed_reservation_alone(db: SqlDatabase) -> None:
    order = await allocated_order(db)
    async with db.transaction(CONTEXT) as tx:
        assert await tx.stock.release(f"r_{order.id}") is False
    assert await numbers(db, TEA) == (14, 2, 0, 12)


async def test_deallocate_gives_back_once(db: SqlDatabase) -> None:
    order = await allocated_order(db)
    async with db.transaction(CONTEXT) as tx:
        assert await tx.stock.deallocate(order.id) is True
        assert await tx.stock.deallocate(order.id) is False
        assert await tx.stock.allocations(order.id) == []
    assert await numbers(db, TEA) == (14, 0, 0, 14)


async def test_deduct_takes_goods_and_promise_once_per_shipment(db: SqlDatabase) -> None:
    order = await allocated_order(db)
    for expected in (True, False):
        async with db.transaction(CONTEXT) as tx:
            assert await tx.stock.deduct(order.id, "shp_1", PARTS) is expected
    assert await numbers(db, TEA) == (12, 0, 0, 12)
    assert await numbers(db, CUP) == (5, 0, 0, 5)
    async with db.transaction(CONTEXT) as tx:
        assert await tx.stock.deallocate(order.id) is False


async def test_deduct_of_pieces_that_were_given_back_is_fenced_and_takes_nothing(db: SqlDatabase) -> None:
    order = await allocated_order(db)
    async with db.transaction(CONTEXT) as tx:
        await tx.stock.deallocate(order.id)
    with pytest.raises(Fenced):
        async with db.transaction(CONTEXT) as tx:
            await tx.stock.deduct(order.id, "shp_1", PARTS)
    assert await numbers(db, TEA) == (14, 0, 0, 14)


async def test_move_counts_once_per_key(db: SqlDatabase) -> None:
    async with db.transaction(CONTEXT) as tx:
        first = await tx.stock.move(TEA, "north", 6, "delivery", "k1")
        again = await tx.stock.move(TEA, "north", 6, "delivery", "k1")
    assert first == again
    assert (first.kind, first.reason) == ("receipt", "delivery")
    assert await numbers(db, TEA) == (20, 0, 0, 20)


async def test_move_does_not_take_what_is_promised(db: SqlDatabase) -> None:
    await allocated_order(db)
    await hold(db, "r1", (TEA, 3))
    for warehouse, delta in (("main", -9), ("north", -5), ("main", -(10**6))):
        with pytest.raises(Conflict):
            async with db.transaction(CONTEXT) as tx:
                await tx.stock.move(TEA, warehouse, delta, "broken", f"k{delta}")
    async with db.transaction(CONTEXT) as tx:
        await tx.stock.move(TEA, "main", -8, "broken", "k")
    assert await numbers(db, TEA) == (6, 2, 3, 1)


@pytest.mark.parametrize(("sku", "warehouse"), [("NONE", "main"), (TEA, "nowhere")])
async def test_move_of_unknown_names_is_not_found(db: SqlDatabase, sku: str, warehouse: str) -> None:
    with pytest.raises(NotFound):
        async with db.transaction(CONTEXT) as tx:
            await tx.stock.move(sku, warehouse, 1, "delivery", "k")


async def test_movements_page_newest_first(db: SqlDatabase) -> None:
    async with db.transaction(CONTEXT) as tx:
        for number in range(3):
            await tx.stock.move(TEA, "main", 1, f"delivery {number}", f"k{number}")
        first, cursor = await tx.stock.movements(TEA, None, 3)
        rest, end = await tx.stock.movements(TEA, cursor, 3)
    assert [move.reason for move in first] == ["delivery 2", "delivery 1", "delivery 0"]
    assert [(move.reason, move.warehouse) for move in rest] == [
        ("opening stock", "north"),
        ("opening stock", "main"),
    ]
    assert end is None


async def test_level_of_a_good_without_stock_is_zero_and_of_an_unknown_one_not_found(
    db: SqlDatabase,
) -> None:
    async with db.reading() as tx:
        levels = await tx.stock.levels([TEA, "NONE"])
        with pytest.raises(NotFound):
            await tx.stock.level("NONE")
    assert list(levels) == [TEA]
