"""The goods wait for their money: a capture is tried until it works, and support sees that it does not."""

from support.backoffice import QUICK, BackOffice
from support.faults import BEFORE
from support.histories import pending, timers
from support.waiting import until

from commerce.contracts.checkout import CheckoutPolicy
from commerce.contracts.statuses import OrderState, PaymentState
from commerce.domain.orders import Order, OrderView

REASON = "take the money: planned fault before capture_payment"


def captured(view: OrderView) -> bool:
    return view.order.payment_state is PaymentState.CAPTURED


async def test_a_capture_that_is_refused_is_shown_and_tried_at_growing_intervals(office: BackOffice) -> None:
    gate = office.gates.close("capture_payment", BEFORE)
    office.planned.fail("capture_payment", BEFORE, times=3, non_retryable=True)
    order = await office.intend(await office.goods())
    await office.check_out(order, CheckoutPolicy(), skip=True)
    await gate.arrival()
    assert await _needs_attention(office, order) is True
    assert (
        await office.view(order)
    ).order.needs_attention == "take the money: planned fault before capture_payment"
    assert await office.money(order) == {"authorised": 1000}
    gate.open.set()
    view = await office.until(order, captured)
    await office.payment_workflow(order).result()
    assert await timers(office.payment_workflow(order)) == [60, 240, 960]
    assert await _needs_attention(office, order) is False
    assert (await office.view(order)).order.needs_attention is None
    assert (await office.journal(order)).count("payment_intent.captured") == 1
    assert view.order.order_state is OrderState.CONFIRMED


async def test_a_capture_that_fails_for_long_is_shown_and_goes_on(office: BackOffice) -> None:
    office.planned.fail("capture_payment", BEFORE, times=3)
    order = await office.intend(await office.goods())
    await office.check_out(order, QUICK, skip=True)
    flagged = await office.until(order, lambda view: view.order.needs_attention is not None)
    assert flagged.order.needs_attention == REASON
    await office.until(order, captured)
    await office.payment_workflow(order).result()
    story = [kind for kind in await office.timeline(order) if kind in {"attention", "captured"}]
    assert (story[0], story[-2:]) == ("attention", ["captured", "attention"])
    assert (await office.view(order)).order.needs_attention is None
    assert await office.money(order) == {"captured": 1000}


async def test_nothing_leaves_while_the_money_is_not_taken(office: BackOffice) -> None:
    gate = office.gates.close("capture_payment", BEFORE)
    office.planned.fail("capture_payment", BEFORE, times=1, non_retryable=True)
    order = await office.intend(await office.goods())
    await office.check_out(order, skip=True)
    await gate.arrival()
    assert (await office.parcel(order)).tracking_code is None
    assert office.gates.done["buy_label", order.id] == 0


async def test_a_provider_that_is_down_for_two_hours_captures_once_when_it_is_back(
    office: BackOffice,
) -> None:
    gate = office.gates.close("capture_payment", BEFORE)
    order = await office.intend(await office.goods())
    await office.check_out(order, QUICK, skip=True)
    await gate.arrival()
    await office.stop(office.stripe)
    start = await office.env.get_current_time(office.payment_workflow(order))
    gate.open.set()

    async def two_hours_later() -> bool:
        now = await office.env.get_current_time(office.payment_workflow(order))
        return (now - start).total_seconds() > 7200

    await until(two_hours_later)
    assert (await office.view(order)).order.payment_state is PaymentState.AUTHORISED
    await office.start(office.stripe)
    await office.until(order, captured)
    await office.payment_workflow(order).result()
    assert await office.journal(order) == ["payment_intent.authorised", "payment_intent.captured"]
    assert (await office.view(order)).order.needs_attention is None
    assert await office.broken(order) == []


async def test_an_order_is_placed_when_a_provider_that_was_down_is_back_and_charged_once(
    office: BackOffice,
) -> None:
    """In real time: between two tries of an activity no time is skipped."""
    await office.stop(office.stripe)
    sku = await office.goods()
    order = await office.intend(sku)
    await office.begin(order, CheckoutPolicy())

    async def tried() -> bool:
        return (await pending(office.order_workflow(order))).get("authorise_payment", 0) > 2

    await until(tried)
    assert (await office.view(order)).order.order_state is OrderState.PENDING
    assert await office.available(sku) == 9
    await office.start(office.stripe)
    await office.until(order, captured)
    assert await office.journal(order) == ["payment_intent.authorised", "payment_intent.captured"]
    assert await office.money(order) == {"captured": 1000}


async def _needs_attention(office: BackOffice, order: Order) -> object:
    attributes = (await office.payment_workflow(order).describe()).search_attributes
    return attributes.get("NeedsAttention", [None])[0]
