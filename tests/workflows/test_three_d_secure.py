"""The shopper is at the bank: the order waits, its hold is extended once, and then it ends."""

from support.backoffice import BackOffice
from support.histories import timers
from support.waiting import until

from commerce.contracts.checkout import CheckoutPolicy, CheckoutStatus
from commerce.contracts.statuses import OrderState, PaymentStatus
from commerce.domain.messaging import InboxEvent
from commerce.domain.orders import Order, OrderView

CARD = "pm_card_authenticationRequired"
SHORT = CheckoutPolicy(hold_seconds=2, hold_extension_seconds=600, attention_after_seconds=1)


def cancelled(view: OrderView) -> bool:
    return view.order.order_state is OrderState.CANCELLED


async def test_a_confirmation_that_never_comes_ends_in_a_void_after_one_extension(office: BackOffice) -> None:
    sku = await office.goods()
    order = await office.intend(sku, 2, token=CARD)
    answer = await office.check_out(order, CheckoutPolicy(), skip=True)
    assert answer.status is CheckoutStatus.REQUIRES_ACTION
    assert answer.action is not None
    await office.order_workflow(order).result()
    view = await office.view(order)
    assert (view.order.order_state, view.order.cancel_reason) == (OrderState.CANCELLED, "payment_expired")
    assert view.payments[0].status is PaymentStatus.VOIDED
    assert await office.intent(order) == "canceled"
    assert office.gates.done["extend_hold", order.id] == 1
    assert await office.available(sku) == 10
    assert (view.shipments, await office.money(order)) == ([], {})
    assert await office.broken(order, sku) == []


async def test_the_wait_lasts_for_both_windows_and_no_longer(office: BackOffice) -> None:
    order = await office.intend(await office.goods(), token=CARD)
    await office.check_out(order, CheckoutPolicy(hold_seconds=900, hold_extension_seconds=600), skip=True)
    await office.order_workflow(order).result()
    waits = await timers(office.order_workflow(order))
    assert [round(seconds) for seconds in waits] == [870, 570]


async def test_news_after_the_end_changes_nothing(office: BackOffice) -> None:
    order = await office.intend(await office.goods(), token=CARD)
    await office.check_out(order, skip=True)
    await office.order_workflow(order).result()
    before, journal = await office.view(order), await office.journal(order)
    late = InboxEvent(
        provider="stripe",
        event_id=f"evt_late_{order.id}",
        kind="payment_intent.amount_capturable_updated",
        received_at=None,
        order_id=order.id,
        payment_id=order.payment_id,
    )
    await office.news(late)
    await _seen(office, order, late.event_id)
    await office.payment_workflow(order).result()
    after = await office.view(order)
    assert (after.order, after.payments[0].status) == (before.order, PaymentStatus.VOIDED)
    assert await office.journal(order) == journal


async def test_a_confirmation_in_the_second_window_places_the_order(office: BackOffice) -> None:
    """In real time: a hold of two seconds is extended after one."""
    sku = await office.goods()
    order = await office.intend(sku, token=CARD)
    await office.check_out(order, SHORT)

    async def extended() -> bool:
        return office.gates.done["extend_hold", order.id] == 1

    await until(extended)
    await office.authenticate(order, "succeed")
    view = await office.until(order, lambda view: bool(view.shipments))
    assert view.order.order_state is OrderState.CONFIRMED
    assert await office.available(sku) == 9
    assert office.gates.done["extend_hold", order.id] == 1


async def test_goods_sold_while_the_hold_had_run_out_end_in_a_void(office: BackOffice) -> None:
    """In real time; the hold's end is moved in the database."""
    sku = await office.goods(on_hand=1)
    order = await office.intend(sku, token=CARD)
    await office.check_out(order)
    for table, key in (("stock_holds", "reservation_id"), ("reservations", "id")):
        office.sql(
            f"UPDATE {table} SET expires_at = clock_timestamp() - interval '1 second' WHERE {key} IN"
            " (SELECT id FROM reservations WHERE order_id = %s)",
            order.id,
        )
    rival = await office.intend(sku)
    assert (await office.check_out(rival)).status is CheckoutStatus.PLACED
    await office.authenticate(order, "succeed")
    await office.order_workflow(order).result()
    view = await office.view(order)
    assert (view.order.order_state, view.order.cancel_reason) == (OrderState.CANCELLED, "out_of_stock")
    assert (view.shipments, view.payments[0].captured) == ([], 0)
    assert await office.intent(order) == "canceled"
    assert "placed" not in await office.timeline(order)
    assert await office.available(sku) == 0
    assert await office.broken(order, sku) == []


async def test_a_confirmation_that_fails_frees_goods_and_cart(office: BackOffice) -> None:
    sku = await office.goods()
    order = await office.intend(sku, token=CARD)
    await office.check_out(order)
    await office.authenticate(order, "fail")
    await office.order_workflow(order).result()
    view = await office.view(order)
    assert (view.order.order_state, view.order.cancel_reason) == (OrderState.CANCELLED, "declined")
    assert await office.available(sku) == 10
    assert await office.money(order) == {}


async def _seen(office: BackOffice, order: Order, event_id: str) -> None:
    async def look() -> bool:
        return any(row.seen for row in await office.inbox(order) if row.event_id == event_id)

    await until(look)
