from dataclasses import replace

import psycopg
import pytest
from integration.persistence.builders import CONTEXT, captured_order, create_order, new_order
from sqlalchemy import event

from commerce.contracts.statuses import FulfilmentState, OrderState, OrderStatus, PaymentState, PaymentStatus
from commerce.domain.errors import CartAlreadyOrdered, IllegalMove, InvalidCursor, NotFound
from commerce.domain.orders import NewRefund, RefundLine, ShipmentLine
from commerce.persistence.database import SqlDatabase


async def test_create_stores_the_intent_with_lines_payment_and_context(db: SqlDatabase) -> None:
    wanted = new_order()
    async with db.transaction(CONTEXT) as tx:
        order = await tx.orders.create(wanted)
    async with db.reading() as tx:
        view = await tx.orders.view(order.id)
        context = await tx.orders.context_of(order.id)
        assert await tx.orders.get(order.id) == order
        assert await tx.orders.lines(order.id) == wanted.lines
    assert (order.number, order.version, order.status) == ("CC-100001", 1, OrderStatus.PENDING)
    assert (order.totals, order.shipping_address) == (wanted.totals, wanted.shipping_address)
    assert view.order == order
    assert view.lines == wanted.lines
    assert [(payment.id, payment.status, payment.amount) for payment in view.payments] == [
        (wanted.payment_id, PaymentStatus.REQUESTED, 1500)
    ]
    assert (view.shipments, view.refunds) == ([], [])
    assert context == CONTEXT


async def test_a_cart_becomes_one_order_until_that_is_cancelled(db: SqlDatabase) -> None:
    first = await create_order(db, "cart_a")
    with pytest.raises(CartAlreadyOrdered) as refusal:
        await create_order(db, "cart_a")
    assert refusal.value.order_id == first.id
    async with db.transaction(CONTEXT) as tx:
        await tx.orders.move(first.id, order=OrderState.CANCELLED, cancel_reason="declined")
    second = await create_order(db, "cart_a")
    assert second.id != first.id


async def test_move_derives_the_shoppers_word_and_counts_versions(db: SqlDatabase) -> None:
    order = await create_order(db)
    async with db.transaction(CONTEXT) as tx:
        placed = await tx.orders.move(order.id, order=OrderState.CONFIRMED, payment=PaymentState.AUTHORISED)
        same = await tx.orders.move(order.id, order=OrderState.CONFIRMED)
        shipped = await tx.orders.move(order.id, fulfilment=FulfilmentState.SHIPPED)
        delivered = await tx.orders.move(order.id, fulfilment=FulfilmentState.DELIVERED)
    assert [(state.status, state.version) for state in (placed, same, shipped, delivered)] == [
        (OrderStatus.PROCESSING, 2),
        (OrderStatus.PROCESSING, 2),
        (OrderStatus.SHIPPED, 3),
        (OrderStatus.DELIVERED, 4),
    ]
    assert placed.placed_at is not None
    assert placed.delivered_at is None
    assert delivered.delivered_at is not None


async def test_an_illegal_move_changes_nothing(db: SqlDatabase) -> None:
    order = await create_order(db)
    with pytest.raises(IllegalMove):
        async with db.transaction(CONTEXT) as tx:
            await tx.orders.move(order.id, payment=PaymentState.AUTHORISED, order=OrderState.COMPLETED)
    async with db.reading() as tx:
        assert await tx.orders.get(order.id) == order


async def test_unknown_orders_are_not_found(db: SqlDatabase) -> None:
    async with db.transaction(CONTEXT) as tx:
        for ask in (
            tx.orders.get("x"),
            tx.orders.get("x", lock=True),
            tx.orders.view("x"),
            tx.orders.move("x", order=OrderState.CONFIRMED),
            tx.orders.set_attention("x", "why"),
            tx.orders.context_of("x"),
            tx.timeline.add("x", "k", "t"),
        ):
            with pytest.raises(NotFound):
                await ask
        assert await tx.orders.lines("x") == []


async def test_lists_page_newest_first_by_customer_and_status(db: SqlDatabase) -> None:
    orders = [await create_order(db) for _ in range(5)]
    async with db.transaction(CONTEXT) as tx:
        await tx.orders.create(replace(new_order(), customer_id="c2"))
        await tx.orders.move(orders[0].id, order=OrderState.CANCELLED)
    async with db.reading() as tx:
        seen, cursor = [], None
        while True:
            page, cursor = await tx.orders.list_views(customer_id="c1", status=None, cursor=cursor, limit=2)
            assert len(page) <= 2
            seen += [view.order.id for view in page]
            if cursor is None:
                break
        everyone, _ = await tx.orders.list_views(customer_id=None, status=None, cursor=None, limit=100)
        cancelled, _ = await tx.orders.list_views(
            customer_id=None, status="Cancelled", cursor=None, limit=100
        )
        for broken in ("x", "e30", "WzEsMl0"):
            with pytest.raises(InvalidCursor):
                await tx.orders.list_views(customer_id=None, status=None, cursor=broken, limit=2)
    assert seen == [order.id for order in reversed(orders)]
    assert len(everyone) == 6
    assert [view.order.id for view in cancelled] == [orders[0].id]


async def test_views_bring_parcels_and_refunds_with_their_lines(db: SqlDatabase) -> None:
    order = await captured_order(db)
    async with db.transaction(CONTEXT) as tx:
        await tx.shipments.create(
            "shp_1", order.id, [ShipmentLine(2, "CUP-1", 1, "main"), ShipmentLine(1, "TEA-1", 2, "main")]
        )
        await tx.payments.create_refund(
            NewRefund("rfd_1", order.id, order.payment_id, 250, "broken", [RefundLine(1, 1, 250)])
        )
        view = await tx.orders.view(order.id)
    assert [line.line_no for line in view.shipments[0].lines] == [1, 2]
    assert view.refunds[0].lines == [RefundLine(1, 1, 250)]


async def test_a_list_takes_as_many_queries_as_one_view(db: SqlDatabase) -> None:
    for _ in range(4):
        await create_order(db)
    counted: list[str] = []
    engine = db._engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *details: counted.append(details[2]))
    async with db.reading() as tx:
        page, _ = await tx.orders.list_views(customer_id=None, status=None, cursor=None, limit=100)
    assert len(page) == 4
    assert len([statement for statement in counted if statement.startswith("SELECT")]) == 5


async def test_the_sweeper_finds_old_pending_orders_that_were_never_started(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    lost, started, cancelled, fresh = [await create_order(db) for _ in range(4)]
    async with db.transaction(CONTEXT) as tx:
        await tx.orders.mark_started(started.id)
        await tx.orders.move(cancelled.id, order=OrderState.CANCELLED)
    owner.execute("UPDATE orders SET created_at = now() - interval '1 minute' WHERE id <> %s", [fresh.id])
    owner.commit()
    async with db.reading() as tx:
        assert [order.id for order in await tx.orders.not_started(30, 10)] == [lost.id]
        assert await tx.orders.not_started(120, 10) == []
        assert await tx.orders.not_started(30, 0) == []


async def test_attention_is_set_and_taken_off(db: SqlDatabase) -> None:
    order = await create_order(db)
    async with db.transaction(CONTEXT) as tx:
        await tx.orders.set_attention(order.id, "void fails")
        flagged = await tx.orders.get(order.id)
        await tx.orders.set_attention(order.id, None)
        assert await tx.orders.get(order.id) == order
    assert (flagged.needs_attention, flagged.version) == ("void fails", 1)
