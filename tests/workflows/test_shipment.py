"""A parcel's workflow: its label, the carrier's news in any order, the order's word on whether it goes."""

import pytest
from support.backoffice import CONTEXT, BackOffice
from support.faults import BEFORE
from support.histories import pending
from support.waiting import until

from commerce.contracts import ids
from commerce.contracts.checkout import CheckoutPolicy
from commerce.contracts.names import EXTERNAL_EVENT
from commerce.contracts.statuses import OrderState, OrderStatus, PaymentState, ShipmentStatus
from commerce.domain.messaging import InboxEvent
from commerce.domain.orders import Order, OrderView
from commerce.runtime.workflow_gateway import TemporalWorkflows


def labelled(view: OrderView) -> bool:
    return bool(view.shipments and view.shipments[0].tracking_code)


def delivered(view: OrderView) -> bool:
    return view.order.status is OrderStatus.DELIVERED


async def shipped(office: BackOffice, quantity: int = 2) -> tuple[str, Order]:
    sku = await office.goods()
    order = await office.intend(sku, quantity)
    await office.check_out(order)
    await office.until(order, labelled)
    return sku, order


async def test_delivered_before_in_transit_is_delivered_and_deducted_once(office: BackOffice) -> None:
    await office.post(
        office.carrier, "webhooks/modes", event_type="tracker.updated", mode="reorder", times=1, seconds=5.0
    )
    sku, order = await shipped(office)
    await office.scan(order, "in_transit")
    await office.scan(order, "delivered")
    await office.until(order, delivered)
    await until(lambda: _all_seen(office, order))
    level = await office.stock(sku)
    assert (level.on_hand, level.allocated) == (8, 0)
    assert (await office.parcel(order)).status is ShipmentStatus.DELIVERED
    assert await office.broken(order, sku) == []


async def test_each_webhook_twice_is_taken_over_once(office: BackOffice) -> None:
    await office.post(office.carrier, "webhooks/modes", event_type="*", mode="duplicate", times=10, copies=2)
    sku, order = await shipped(office)
    await office.scan(order, "in_transit")
    await office.scan(order, "delivered")
    await office.until(order, delivered)
    await until(lambda: _all_seen(office, order))
    story = await office.timeline(order)
    assert (story.count("shipment_handed_over"), story.count("shipment_delivered")) == (1, 1)
    level = await office.stock(sku)
    assert (level.on_hand, level.allocated) == (8, 0)


async def test_the_same_signal_twice_is_read_once(office: BackOffice) -> None:
    _, order = await shipped(office)
    shipment = await office.parcel(order)
    workflows = TemporalWorkflows(office.client)
    for _ in range(3):
        assert await workflows.tell(f"shipment/{shipment.id}", "evt_same", "tracker.updated")

    async def read() -> bool:
        return office.gates.done["record_tracking", order.id] > 0

    await until(read)
    await office.scan(order, "delivered")
    await office.until(order, delivered)
    assert office.gates.done["record_tracking", order.id] == 2


async def test_a_signal_of_a_shape_that_nobody_knows_is_dropped_and_the_parcel_goes_on(
    office: BackOffice,
) -> None:
    _, order = await shipped(office)
    await office.shipment_workflow(order).signal(EXTERNAL_EVENT, {"surprise": [1, 2]})
    await office.shipment_workflow(order).signal("nobody_sends_this", 7)
    await office.scan(order, "delivered")
    await office.until(order, delivered)
    await office.shipment_workflow(order).result()


async def test_news_of_an_unknown_parcel_is_kept_and_looked_at_again(office: BackOffice) -> None:
    order = await office.intend(await office.goods())
    tracker = {
        "id": f"trk_{order.id}",
        "object": "Tracker",
        "tracking_code": f"NOBODY-{order.id}",
        "status": "delivered",
        "updated_at": "2026-11-01T10:00:00Z",
    }
    await office.news(
        InboxEvent(
            provider="easypost",
            event_id=f"evt_{order.id}",
            kind="tracker.updated",
            received_at=None,
            shipment_id=ids.derived_id(ids.SHIPMENT, order.id),
            data={"result": tracker},
        )
    )

    async def tried() -> bool:
        return any(row.attempts > 1 for row in await office.inbox(order))

    await until(tried)
    [row] = await office.inbox(order)
    assert (row.told, row.seen) == (False, False)
    assert "no shipment" in (row.outcome or "")


async def test_cancelling_a_parcel_by_hand_changes_nothing_while_its_order_stands(office: BackOffice) -> None:
    _, order = await shipped(office)
    await office.shipment_workflow(order).cancel()

    async def asked() -> bool:
        return office.gates.done["void_label", order.id] > 0

    await until(asked)
    assert await _labels(office, order) == ["bought"]
    await office.scan(order, "delivered")
    await office.until(order, delivered)


async def test_a_parcel_that_is_cancelled_by_hand_before_its_label_still_gets_one(office: BackOffice) -> None:
    gate = office.gates.close("buy_label", BEFORE)
    order = await office.intend(await office.goods())
    await office.check_out(order)
    await gate.arrival()
    await office.shipment_workflow(order).cancel()
    gate.open.set()
    await office.until(order, labelled)
    assert await _labels(office, order) == ["bought"]
    assert (await office.view(order)).order.order_state is OrderState.CONFIRMED


async def test_a_cancelled_order_gives_its_label_back(office: BackOffice) -> None:
    sku, order = await shipped(office)
    await office.cancel(order)
    await office.shipment_workflow(order).result()
    assert await _labels(office, order) == ["bought", "voided"]
    assert await office.available(sku) == 10


@pytest.mark.parametrize("mode", ["reset", "late"])
async def test_a_label_whose_purchase_was_under_way_is_given_back_too(office: BackOffice, mode: str) -> None:
    """The carrier sells it: without answering, or only after the order was cancelled."""
    await office.post(office.carrier, "faults", operation="shipments.buy", mode=mode, seconds=1.0)
    order = await office.intend(await office.goods())
    await office.check_out(order)
    await until(lambda: pending(office.shipment_workflow(order)))
    assert (await office.cancel(order)).accepted
    await office.shipment_workflow(order).result()
    assert await _labels(office, order) == ["bought", "voided"]


async def test_a_parcel_that_nobody_carries_is_shown_to_support_and_tried_again(office: BackOffice) -> None:
    office.planned.fail("buy_label", BEFORE, times=2, non_retryable=True)
    gate = office.gates.close("buy_label", BEFORE)
    order = await office.intend(await office.goods())
    await office.check_out(order, CheckoutPolicy(), skip=True)
    await gate.arrival()
    attention = (await office.view(order)).order.needs_attention or ""
    assert "planned fault before buy_label" in attention
    attributes = (await office.shipment_workflow(order).describe()).search_attributes
    assert attributes["NeedsAttention"] == [True]
    gate.open.set()
    view = await office.until(order, lambda view: labelled(view) and view.order.needs_attention is None)
    assert view.order.order_state is OrderState.CONFIRMED


async def test_an_order_that_waits_for_its_carrier_can_be_cancelled_at_once(office: BackOffice) -> None:
    office.planned.fail("buy_label", BEFORE, non_retryable=True)
    sku = await office.goods()
    order = await office.intend(sku)
    await office.check_out(order)
    await office.until(order, lambda view: view.order.needs_attention is not None)
    answer = await office.cancel(order)
    assert (answer.accepted, answer.money_returned) == (True, True)
    await office.shipment_workflow(order).result()
    assert await office.available(sku) == 10
    assert (await office.view(order)).order.needs_attention is None


async def test_an_order_that_is_refunded_before_it_ships_waits_for_support(office: BackOffice) -> None:
    gate = office.gates.close("buy_label", BEFORE)
    order = await office.intend(await office.goods())
    await office.check_out(order)
    await gate.arrival()
    refund = await office.refund(order, 1000)
    await TemporalWorkflows(office.client).refund(
        refund, order, CONTEXT, update_id="refund", wait_seconds=15.0
    )
    await office.until(order, lambda view: view.order.payment_state is PaymentState.REFUNDED)
    gate.open.set()
    view = await office.until(order, lambda view: view.order.needs_attention is not None)
    assert "not paid" in (view.order.needs_attention or "")
    assert await _labels(office, order) == []
    assert (await office.cancel(order)).accepted
    await office.order_workflow(order).result()
    assert await office.money(order) == {"captured": 1000, "refunded": 1000}


async def _labels(office: BackOffice, order: Order) -> list[str]:
    """What the carrier did with this order's label, in the order of its journal."""
    answer = await office.http.get(
        f"{office.carrier.url}/_emulator/journal",
        params={"reference": ids.derived_id(ids.SHIPMENT, order.id)},
    )
    words = {"label.bought": "bought", "label.voided": "voided"}
    return [words[entry["kind"]] for entry in answer.json()["data"] if entry["kind"] in words]


async def _all_seen(office: BackOffice, order: Order) -> bool:
    rows = office.query(
        lambda seen: seen,
        "SELECT seen_at IS NOT NULL FROM inbox WHERE provider_ref = %s",
        (await office.parcel(order)).tracking_code,
    )
    return len(rows) >= 2 and all(rows)
