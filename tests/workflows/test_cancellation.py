"""Cancelling at every step: before and after its effect, by the shopper's update and by Temporal itself."""

import asyncio

import pytest
from support.backoffice import BackOffice
from support.faults import AFTER, BEFORE
from support.histories import pending
from support.waiting import until

from commerce.contracts.checkout import CheckoutPolicy, CheckoutStatus
from commerce.contracts.statuses import OrderState, PaymentState, ShipmentStatus
from commerce.domain.orders import Order

INSIDE = ["verify_promise", "reserve_stock", "place_order"]
"""Local activities: their workflow hears nothing until they end."""

OUTSIDE = [*INSIDE, "authorise_payment", "capture_payment", "buy_label"]
"""Each as an ordinary activity: the cancellation comes while it is at work."""

CASES = [
    *(("update", step, False) for step in INSIDE),
    *((by, step, True) for step in OUTSIDE for by in ("update", "temporal")),
]


@pytest.mark.parametrize("when", [BEFORE, AFTER])
@pytest.mark.parametrize(("by", "step", "outside"), CASES)
async def test_a_cancellation_at_any_step_leaves_neither_goods_nor_money(
    office: BackOffice, by: str, step: str, outside: bool, when: str
) -> None:
    gate = office.gates.close(step, when, outside=outside)
    sku = await office.goods()
    order = await office.intend(sku, 2)
    await office.begin(order)
    await gate.arrival()
    asking = asyncio.create_task(ask(office, order, by))
    await asyncio.sleep(0.15)
    gate.open.set()
    await asking
    await office.order_workflow(order).result()
    await nothing_is_left(office, order, sku)


async def ask(office: BackOffice, order: Order, by: str) -> None:
    if by == "temporal":
        await office.order_workflow(order).cancel()
        return
    answer = await office.cancel(order)
    assert (answer.accepted, answer.money_returned) == (True, True)


async def nothing_is_left(office: BackOffice, order: Order, sku: str) -> None:
    async def settled() -> bool:
        money = await office.money(order)
        return money.get("captured", 0) == money.get("refunded", 0) and "authorised" not in money

    await until(settled)
    view = await office.until(order, lambda view: view.payments[0].captured == view.payments[0].refunded)
    assert view.order.order_state is OrderState.CANCELLED
    assert [parcel.status for parcel in view.shipments] in ([], [ShipmentStatus.CANCELLED])
    level = await office.stock(sku)
    assert (level.on_hand, level.allocated, level.held, level.available) == (10, 0, 0, 10)
    journal = await office.journal(order)
    assert journal.count("payment_intent.captured") == journal.count("refund.succeeded")
    office.sql("UPDATE orders SET changed_at = changed_at - interval '5 minutes' WHERE id = %s", order.id)
    assert await office.broken(order, sku) == []
    assert view.order.needs_attention is None


async def test_workflows_cancelled_in_the_middle_of_their_first_steps_close_their_orders(
    office: BackOffice,
) -> None:
    """Many at once, so that the cancellation meets every moment of a local activity."""

    async def begin_and_cancel(number: int) -> tuple[Order, str]:
        sku = await office.goods()
        order = await office.intend(sku)
        await asyncio.sleep(number * 0.08)
        await office.begin(order, CheckoutPolicy())
        await office.order_workflow(order).cancel()
        await office.order_workflow(order).result()
        return order, sku

    async with asyncio.timeout(12):
        begun = await asyncio.gather(*(begin_and_cancel(number) for number in range(24)))
    for order, sku in begun:
        await nothing_is_left(office, order, sku)


async def test_an_authorisation_that_the_provider_carries_out_late_is_given_back(office: BackOffice) -> None:
    await office.post(office.stripe, "faults", operation="payment_intents.create", mode="late", seconds=1.0)
    sku = await office.goods()
    order = await office.intend(sku)
    await office.begin(order, CheckoutPolicy())
    await until(lambda: pending(office.order_workflow(order)))
    assert (await office.cancel(order)).accepted
    await office.order_workflow(order).result()
    await asyncio.sleep(1.0)
    await nothing_is_left(office, order, sku)


async def test_a_cancellation_after_hand_over_is_refused_and_changes_nothing(office: BackOffice) -> None:
    sku, order = await handed_over(office)
    answer = await office.cancel(order)
    assert (answer.accepted, answer.refusal) == (False, "a parcel of this order has left the house")
    view = await office.view(order)
    assert (view.order.order_state, view.order.payment_state) == (
        OrderState.CONFIRMED,
        PaymentState.CAPTURED,
    )
    assert view.shipments[0].status is ShipmentStatus.HANDED_OVER
    assert await office.money(order) == {"captured": 2000}
    assert await office.available(sku) == 8


async def test_a_workflow_that_is_cancelled_after_hand_over_goes_on_to_delivery(office: BackOffice) -> None:
    _, order = await handed_over(office)
    await office.order_workflow(order).cancel()
    await until(lambda: _asked(office, order))
    await office.scan(order, "delivered")
    view = await office.until(order, lambda view: view.order.status.value == "Delivered")
    assert view.order.order_state is OrderState.CONFIRMED
    description = await office.order_workflow(order).describe()
    assert description.status is not None
    assert description.status.name == "RUNNING"


async def test_cancelling_twice_gives_back_once(office: BackOffice) -> None:
    sku = await office.goods()
    order = await office.intend(sku, 2)
    await office.check_out(order)
    await office.until(order, lambda view: view.order.payment_state is PaymentState.CAPTURED)
    answers = await asyncio.gather(*(office.cancel(order, f"cancel-{number}") for number in range(3)))
    assert all(answer.accepted for answer in answers)
    await office.order_workflow(order).result()
    await nothing_is_left(office, order, sku)
    assert (await office.journal(order)).count("refund.created") == 1
    assert len(await office.audited(order, "order.cancel")) == 1


async def test_a_cancellation_ends_a_capture_that_waits_for_its_next_try(office: BackOffice) -> None:
    office.planned.fail("capture_payment", BEFORE, non_retryable=True)
    sku = await office.goods()
    order = await office.intend(sku)
    await office.check_out(order)
    await office.until(order, lambda view: view.order.needs_attention is not None)
    answer = await office.cancel(order)
    assert (answer.accepted, answer.money_returned) == (True, True)
    await office.order_workflow(order).result()
    assert await office.intent(order) == "canceled"
    await nothing_is_left(office, order, sku)


async def test_an_order_cancelled_before_it_is_placed_answers_cancelled(office: BackOffice) -> None:
    gate = office.gates.close("authorise_payment", BEFORE)
    order = await office.intend(await office.goods())
    waiting = asyncio.create_task(office.check_out(order))
    await gate.arrival()
    await office.cancel(order)
    assert (await waiting).status is CheckoutStatus.CANCELLED
    gate.open.set()
    assert await office.journal(order) == []


async def handed_over(office: BackOffice) -> tuple[str, Order]:
    sku = await office.goods()
    order = await office.intend(sku, 2)
    await office.check_out(order)
    await office.until(order, lambda view: bool(view.shipments and view.shipments[0].tracking_code))
    await office.scan(order, "in_transit")
    await office.until(order, lambda view: view.shipments[0].status is ShipmentStatus.HANDED_OVER)
    return sku, order


async def _asked(office: BackOffice, order: Order) -> bool:
    return office.gates.done["cancel_order", order.id] > 0
