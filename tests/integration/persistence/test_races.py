"""Many connections at once, on the same rows."""

import asyncio
from collections import Counter

from integration.persistence.builders import (
    CONTEXT,
    CUP,
    TEA,
    captured_order,
    create_order,
    hold_lines,
    new_order,
)
from integration.persistence.test_messages import KEY, event, message

from commerce.domain.errors import CartAlreadyOrdered, Conflict, Fenced, RefundExceedsCapture
from commerce.domain.orders import NewRefund
from commerce.persistence.database import SqlDatabase


async def test_forty_shoppers_for_ten_pieces_get_ten(db: SqlDatabase) -> None:
    async with db.transaction(CONTEXT) as tx:
        await tx.stock.move(TEA, "north", -4, "sold at the fair", "fair")

    async def shop(number: int) -> bool:
        async with db.transaction(CONTEXT) as tx:
            lines = hold_lines((CUP, 1), (TEA, 1)) if number % 2 else hold_lines((TEA, 1))
            return (await tx.stock.hold(f"r{number}", lines, 60, cart_id=f"c{number}", order_id=None)).held

    got = await asyncio.gather(*(shop(number) for number in range(40)))
    async with db.reading() as tx:
        tea, cup = await tx.stock.level(TEA), await tx.stock.level(CUP)
    assert sum(got) == tea.held == 10
    assert tea.available == 0
    assert cup.held == sum(held for number, held in enumerate(got) if number % 2) <= 6


async def test_allocations_and_holds_in_any_order_of_skus_end_without_deadlock(db: SqlDatabase) -> None:
    items = ((TEA, 1), (CUP, 1))
    orders = [await create_order(db, None, *items) for _ in range(12)]

    async def place(number: int) -> bool:
        lines = hold_lines(*(items if number % 2 else reversed(items)))
        async with db.transaction(CONTEXT) as tx:
            name = f"r{number}"
            held = await tx.stock.hold(name, lines, 60, cart_id=name, order_id=orders[number].id)
        async with db.transaction(CONTEXT) as tx:
            return held.held and (await tx.stock.allocate(name, orders[number].id, lines)).held

    placed = await asyncio.gather(*(place(number) for number in range(12)))
    async with db.reading() as tx:
        levels = await tx.stock.levels([TEA, CUP])
        assert all(result.ok for result in await tx.invariants.check() if result.area == "stock")
    assert sum(placed) == 6
    assert [(levels[sku].allocated, levels[sku].held) for sku in (TEA, CUP)] == [(6, 0), (6, 0)]


async def test_a_hold_and_its_release_at_once_leave_nothing_held(db: SqlDatabase) -> None:
    async def hold(name: str) -> None:
        try:
            async with db.transaction(CONTEXT) as tx:
                await tx.stock.hold(name, hold_lines((TEA, 1)), 60, cart_id=name, order_id=None)
        except Fenced:
            return

    async def release(name: str) -> None:
        async with db.transaction(CONTEXT) as tx:
            await tx.stock.release(name)

    await asyncio.gather(*(act(f"r{number}") for number in range(10) for act in (hold, release)))
    async with db.reading() as tx:
        assert (await tx.stock.level(TEA)).held == 0


async def test_one_key_from_many_connections_is_one_claim(db: SqlDatabase) -> None:
    async def claim(number: int) -> tuple[bool, str]:
        async with db.transaction(CONTEXT) as tx:
            got = await tx.idempotency.claim(*KEY, "print", f"ord_{number}")
            await asyncio.sleep(0.01)
            return got.created, got.object_id

    claims = await asyncio.gather(*(claim(number) for number in range(15)))
    assert sum(created for created, _ in claims) == 1
    assert len({object_id for _, object_id in claims}) == 1


async def test_one_cart_from_many_connections_is_one_order(db: SqlDatabase) -> None:
    async def order() -> str:
        try:
            async with db.transaction(CONTEXT) as tx:
                return (await tx.orders.create(new_order("cart_a"))).id
        except CartAlreadyOrdered as refusal:
            return refusal.order_id

    ids = await asyncio.gather(*(order() for _ in range(15)))
    assert len(set(ids)) == 1
    async with db.reading() as tx:
        views, _ = await tx.orders.list_views(customer_id=None, status=None, cursor=None, limit=10)
    assert [view.order.id for view in views] == [ids[0]]


async def test_refunds_at_once_never_exceed_the_capture(db: SqlDatabase) -> None:
    order = await captured_order(db)

    async def refund(number: int) -> str:
        try:
            async with db.transaction(CONTEXT) as tx:
                wanted = NewRefund(f"r{number}", order.id, order.payment_id, 400, "broken")
                await tx.payments.create_refund(wanted)
        except RefundExceedsCapture as refusal:
            return f"at most {refusal.refundable}"
        return "stored"

    ends = Counter(await asyncio.gather(*(refund(number) for number in range(10))))
    assert ends == {"stored": 3, "at most 300": 7}


async def test_one_webhook_on_many_connections_is_one_row(db: SqlDatabase) -> None:
    async def store() -> bool:
        async with db.transaction(CONTEXT) as tx:
            return await tx.inbox.store(event("evt_1"))

    assert sum(await asyncio.gather(*(store() for _ in range(15)))) == 1
    async with db.reading() as tx:
        assert len(await tx.inbox.events(["evt_1"])) == 1


async def test_relays_at_once_take_no_message_twice(db: SqlDatabase) -> None:
    async with db.transaction(CONTEXT) as tx:
        for number in range(40):
            await tx.outbox.add(message(f"e{number}", f"ord_{number}"))

    async def relay() -> list[str]:
        async with db.transaction(CONTEXT) as tx:
            return [taken.id for taken in await tx.outbox.take(7, 60.0)]

    taken = [name for batch in await asyncio.gather(*(relay() for _ in range(12))) for name in batch]
    assert len(taken) == len(set(taken))
    left = await relay()
    while left:
        taken += left
        left = await relay()
    assert sorted(taken) == sorted(f"e{number}" for number in range(40))


async def test_a_movement_of_one_key_counts_once_and_stock_never_falls_below_zero(db: SqlDatabase) -> None:
    async def move(number: int) -> bool:
        try:
            async with db.transaction(CONTEXT) as tx:
                await tx.stock.move(CUP, "main", -2, "broken", f"k{number % 5}")
        except Conflict:
            return False
        return True

    await asyncio.gather(*(move(number) for number in range(20)))
    async with db.reading() as tx:
        assert (await tx.stock.level(CUP)).on_hand == 0
        moved, _ = await tx.stock.movements(CUP, None, 100)
    assert [move.on_hand_delta for move in moved] == [-2, -2, -2, 6]


async def test_timeline_entries_of_one_order_appear_in_the_order_of_their_seq(db: SqlDatabase) -> None:
    order = await create_order(db)
    seen: list[int] = []

    async def write(number: int) -> None:
        async with db.transaction(CONTEXT) as tx:
            await tx.timeline.add(order.id, "k", str(number))
            await asyncio.sleep(0.002 * (number % 5))

    async def read() -> None:
        while len(seen) < 20:
            async with db.reading() as tx:
                seen.extend(entry.seq for entry in await tx.timeline.list(order.id, max(seen, default=0), 50))
            await asyncio.sleep(0.001)

    async with asyncio.timeout(10):
        await asyncio.gather(read(), *(write(number) for number in range(20)))
    assert seen == sorted(seen)
