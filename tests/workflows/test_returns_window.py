"""After the door: thirty days for returns, then the order is over and only its money can still move."""

from datetime import UTC, datetime, timedelta

import pytest
from support.backoffice import CONTEXT, BackOffice

from commerce.contracts.checkout import CheckoutPolicy
from commerce.contracts.statuses import OrderState, PaymentState, RefundStatus
from commerce.domain.errors import NotFound
from commerce.domain.orders import Order
from commerce.runtime.workflow_gateway import TemporalWorkflows


async def completed(office: BackOffice) -> tuple[str, Order]:
    sku = await office.goods()
    order = await office.intend(sku, 2)
    await office.check_out(order, CheckoutPolicy(), skip=True)
    await office.until(order, lambda view: bool(view.shipments and view.shipments[0].tracking_code))
    await office.scan(order, "in_transit")
    await office.scan(order, "delivered")
    await office.order_workflow(order).result()
    return sku, order


async def test_thirty_days_after_delivery_the_order_is_completed_and_its_workflow_closed(
    office: BackOffice,
) -> None:
    sku, order = await completed(office)
    view = await office.view(order)
    assert (view.order.order_state, view.order.payment_state) == (
        OrderState.COMPLETED,
        PaymentState.CAPTURED,
    )
    description = await office.order_workflow(order).describe()
    assert description.status is not None
    assert description.status.name == "COMPLETED"
    assert description.close_time is not None
    assert description.close_time - datetime.now(UTC) > timedelta(days=29, hours=23)
    level = await office.stock(sku)
    assert (level.on_hand, level.allocated, level.held) == (8, 0, 0)
    assert await office.broken(order, sku) == []


async def test_a_completed_order_cannot_be_cancelled(office: BackOffice) -> None:
    _, order = await completed(office)
    with pytest.raises(NotFound):
        await office.cancel(order)
    view = await office.view(order)
    assert (view.order.order_state, view.order.payment_state) == (
        OrderState.COMPLETED,
        PaymentState.CAPTURED,
    )
    assert await office.money(order) == {"captured": 2000}


async def test_a_completed_order_can_still_be_refunded_by_a_run_of_the_payment_alone(
    office: BackOffice,
) -> None:
    _, order = await completed(office)
    refund = await office.refund(order, 500)
    outcome = await TemporalWorkflows(office.client).refund(
        refund, order, CONTEXT, update_id="refund", wait_seconds=15.0
    )
    assert outcome is not None
    await office.payment_workflow(order).result()
    assert (await office.refund_stored(refund.id)).status is RefundStatus.SUCCEEDED
    assert await office.money(order) == {"captured": 2000, "refunded": 500}
    view = await office.view(order)
    assert (view.order.order_state, view.order.payment_state) == (
        OrderState.COMPLETED,
        PaymentState.PARTIALLY_REFUNDED,
    )
    assert await office.broken(order) == []
