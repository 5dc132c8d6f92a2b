"""The sweep finds what crashes and lost news have left behind, and goes on past what it cannot mend."""

import asyncio

from support.backoffice import CONTEXT, BackOffice
from support.faults import BEFORE
from support.waiting import until

from commerce.contracts.statuses import OrderState, OrderStatus, PaymentState, RefundStatus, ShipmentStatus
from commerce.domain.orders import Order, OrderView
from commerce.runtime.workflow_gateway import TemporalWorkflows

CARD = "pm_card_authenticationRequired"


def captured(view: OrderView) -> bool:
    return view.order.payment_state is PaymentState.CAPTURED


async def test_an_intent_without_a_workflow_is_started_once_by_two_sweeps_at_once(office: BackOffice) -> None:
    sku = await office.goods()
    order = await office.intend(sku, 2)
    first, second = await asyncio.gather(office.sweep(), office.sweep())
    assert first.orders_started + second.orders_started >= 1
    await office.until(order, captured)
    assert (await office.journal(order)).count("payment_intent.authorised") == 1
    assert await office.available(sku) == 8
    assert (await office.sweep()).orders_started == 0


async def test_an_intent_whose_workflow_runs_already_is_left_alone(office: BackOffice) -> None:
    order = await office.intend(await office.goods())
    await office.check_out(order)
    await office.sweep()
    await office.until(order, captured)
    assert (await office.journal(order)).count("payment_intent.authorised") == 1


async def test_a_confirmation_whose_webhook_was_lost_is_asked_for(office: BackOffice) -> None:
    await lose(office, office.stripe)
    order = await office.intend(await office.goods(), token=CARD)
    await office.check_out(order)
    await office.authenticate(order, "succeed")
    assert (await office.view(order)).order.order_state is OrderState.PENDING
    report = await office.sweep(silent=0.0)
    assert report.payments_asked >= 1
    await office.until(order, captured)


async def test_a_carriers_lost_webhooks_are_asked_for(office: BackOffice) -> None:
    order = await office.intend(await office.goods())
    await office.check_out(order)
    await office.until(order, lambda view: bool(view.shipments and view.shipments[0].tracking_code))
    await lose(office, office.carrier)
    for status in ("in_transit", "delivered"):
        await office.scan(order, status)
    assert (await office.parcel(order)).status is ShipmentStatus.LABELLED
    report = await office.sweep(silent=0.0)
    assert report.parcels_asked >= 1
    await office.until(order, lambda view: view.order.status is OrderStatus.DELIVERED)
    await office.shipment_workflow(order).result()


async def test_a_refund_whose_request_died_is_carried_out(office: BackOffice) -> None:
    order = await office.intend(await office.goods())
    await office.check_out(order)
    await office.until(order, captured)
    refund = await office.refund(order, 400)
    await office.sweep()

    async def given() -> bool:
        return (await office.refund_stored(refund.id)).status is RefundStatus.SUCCEEDED

    await until(given)
    assert await office.money(order) == {"captured": 1000, "refunded": 400}


async def test_a_hold_that_ran_out_without_anyone_is_closed(office: BackOffice) -> None:
    sku = await office.goods()
    order = await office.intend(sku, token=CARD)
    await office.check_out(order)
    for table, key in (("stock_holds", "reservation_id"), ("reservations", "id")):
        office.sql(
            f"UPDATE {table} SET expires_at = clock_timestamp() WHERE {key} IN"
            " (SELECT id FROM reservations WHERE order_id = %s)",
            order.id,
        )
    assert (await office.sweep()).holds_expired == 1
    rows = office.query(int, "SELECT count(*) FROM stock_holds WHERE sku = %s", sku)
    assert rows == [0]


async def test_a_closed_order_whose_workflow_was_terminated_gets_its_money_back(office: BackOffice) -> None:
    order = await office.intend(await office.goods())
    await office.check_out(order)
    await office.until(order, captured)
    await office.order_workflow(order).terminate("by hand")
    await office.close(order)
    assert (await office.sweep()).undos_started == 0
    assert (await office.sweep(silent=0.0)).undos_started >= 1
    await office.until(order, lambda view: view.order.payment_state is PaymentState.REFUNDED)
    assert await office.money(order) == {"captured": 1000, "refunded": 1000}


async def test_a_cancellation_whose_update_was_lost_is_carried_out_when_its_parcel_ends(
    office: BackOffice,
) -> None:
    sku = await office.goods()
    order = await office.intend(sku)
    await office.check_out(order)
    await office.until(order, lambda view: bool(view.shipments and view.shipments[0].tracking_code))
    await office.close(order)
    await office.shipment_workflow(order).cancel()
    await office.order_workflow(order).result()
    view = await office.view(order)
    assert view.order.payment_state is PaymentState.REFUNDED
    assert await office.money(order) == {"captured": 1000, "refunded": 1000}
    assert await office.available(sku) == 10


async def test_one_thing_that_cannot_be_mended_does_not_stop_the_sweep(office: BackOffice) -> None:
    await office.post(office.stripe, "settings", refund_delay_seconds=0.0)
    paid = await office.intend(await office.goods())
    await office.check_out(paid)
    await office.until(paid, captured)
    stuck = await office.refund(paid, 400)
    office.planned.fail("refund_payment", BEFORE, times=50, non_retryable=True)
    waiting = await office.intend(await office.goods(), token=CARD)
    await lose(office, office.stripe)
    await office.check_out(waiting)
    await office.authenticate(waiting, "succeed")
    report = await office.sweep(silent=0.0)
    assert report.payments_asked >= 1
    await office.until(waiting, captured)
    assert (await office.refund_stored(stuck.id)).status is RefundStatus.REQUESTED
    office.planned.clear()
    await office.sweep()

    async def given() -> bool:
        return (await office.refund_stored(stuck.id)).status is RefundStatus.SUCCEEDED

    await until(given)


async def lose(office: BackOffice, provider: object) -> None:
    """None of the provider's webhooks arrives any more."""
    await office.post(provider, "webhooks/modes", event_type="*", mode="lose", times=50)  # type: ignore[arg-type]


async def test_an_undo_that_nobody_waits_for_is_started_by_late_news(office: BackOffice) -> None:
    """An authorisation that reaches the provider after its order was closed, and whose process died."""
    order: Order = await office.intend(await office.goods())
    gate = office.gates.close("authorise_payment", BEFORE)
    await office.begin(order)
    await gate.arrival()
    assert (await office.cancel(order)).accepted
    gate.open.set()
    await office.order_workflow(order).result()
    await TemporalWorkflows(office.client).start_undo(order, CONTEXT)
    await office.payment_workflow(order).result()
    assert await office.money(order) == {}
