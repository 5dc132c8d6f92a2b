"""A database that does not answer costs time, never an order."""

from support.backoffice import BackOffice
from support.faults import BEFORE

from commerce.contracts.statuses import OrderState, PaymentState


async def test_a_database_that_is_down_for_longer_than_a_local_activity_lasts_delays_the_order(
    office: BackOffice,
) -> None:
    """The step goes on as an ordinary activity, which waits for days."""
    office.planned.fail("verify_promise", BEFORE, times=9)
    sku = await office.goods()
    order = await office.intend(sku)
    await office.begin(order)
    view = await office.until(order, lambda view: view.order.payment_state is PaymentState.CAPTURED)
    assert view.order.order_state is OrderState.CONFIRMED
    assert office.planned.struck["verify_promise", BEFORE] == 9
    assert await office.available(sku) == 9


async def test_a_step_that_a_closed_order_refuses_ends_the_order_and_not_in_a_failure(
    office: BackOffice,
) -> None:
    """Closed behind the workflow's back: what it had begun is given back."""
    sku = await office.goods()
    order = await office.intend(sku)
    gate = office.gates.close("authorise_payment", BEFORE)
    await office.begin(order)
    await gate.arrival()
    office.sql(
        "UPDATE orders SET order_state = 'cancelled', payment_state = 'failed', cancel_reason = 'failed',"
        " status = 'Cancelled' WHERE id = %s",
        order.id,
    )
    gate.open.set()
    await office.order_workflow(order).result()
    assert await office.available(sku) == 10
    assert await office.money(order) == {}
