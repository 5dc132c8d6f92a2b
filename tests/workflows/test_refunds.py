"""Refunds that are decided later: by the provider's news, by asking, or against us."""

from support.backoffice import CONTEXT, BackOffice
from support.faults import BEFORE
from support.histories import timers
from support.waiting import until

from commerce.contracts.checkout import Resolution, ResolveCompensation
from commerce.contracts.statuses import PaymentState, RefundStatus
from commerce.domain.orders import Order, Refund
from commerce.runtime.workflow_gateway import TemporalWorkflows


async def paid(office: BackOffice, token: str = "pm_card_visa") -> Order:
    order = await office.intend(await office.goods(), 2, token=token)
    await office.check_out(order)
    await office.until(order, lambda view: bool(view.shipments and view.shipments[0].tracking_code))
    return order


async def give_back(office: BackOffice, order: Order, amount: int) -> Refund:
    refund = await office.refund(order, amount)
    outcome = await TemporalWorkflows(office.client).refund(
        refund, order, CONTEXT, update_id=refund.id, wait_seconds=15.0
    )
    assert outcome is not None
    return await office.refund_stored(refund.id)


async def decided(office: BackOffice, refund: Refund, status: RefundStatus) -> None:
    async def look() -> bool:
        return (await office.refund_stored(refund.id)).status is status

    await until(look)


async def delay(office: BackOffice, seconds: float, failures: int = 0) -> None:
    await office.post(office.stripe, "settings", refund_delay_seconds=seconds, refund_failures=failures)


async def test_a_pending_refund_is_followed_until_the_providers_news(office: BackOffice) -> None:
    await delay(office, 0.5)
    order = await paid(office)
    refund = await give_back(office, order, 700)
    assert refund.status is RefundStatus.PENDING
    await decided(office, refund, RefundStatus.SUCCEEDED)
    await office.payment_workflow(order).result()
    view = await office.view(order)
    assert (view.order.payment_state, view.payments[0].refunded) == (PaymentState.PARTIALLY_REFUNDED, 700)
    assert await office.broken(order) == []


async def test_a_refund_is_decided_by_its_news_though_an_earlier_one_is_pending(office: BackOffice) -> None:
    await delay(office, 600.0)
    order = await paid(office)
    first = await give_back(office, order, 500)
    await delay(office, 0.5)
    second = await give_back(office, order, 300)
    assert (first.status, second.status) == (RefundStatus.PENDING, RefundStatus.PENDING)
    await decided(office, second, RefundStatus.SUCCEEDED)
    assert (await office.refund_stored(first.id)).status is RefundStatus.PENDING
    assert await office.money(order) == {"captured": 2000, "refunded": 300, "refund_pending": 500}
    assert await office.broken(order) == []


async def test_a_pending_refund_without_news_is_asked_for(office: BackOffice) -> None:
    """The webhooks are lost; the payment's clock skips the hour to the next look."""
    await delay(office, 0.5)
    await office.post(office.stripe, "webhooks/modes", event_type="refund.updated", mode="lose", times=5)
    await office.post(office.stripe, "webhooks/modes", event_type="refund.created", mode="lose", times=5)
    order = await paid(office)
    refund = await office.refund(order, 700)
    await TemporalWorkflows(office.skipping).refund(
        refund, order, CONTEXT, update_id=refund.id, wait_seconds=15.0
    )
    await office.payment_workflow(order).result()
    assert (await office.refund_stored(refund.id)).status is RefundStatus.SUCCEEDED
    waits = await timers(office.payment_workflow(order))
    assert waits
    assert set(waits) == {3600}


async def test_a_refund_that_fails_comes_before_support_and_can_be_made_again(office: BackOffice) -> None:
    await delay(office, 0.3, failures=1)
    order = await paid(office)
    refund = await give_back(office, order, 700)
    await decided(office, refund, RefundStatus.FAILED)
    view = await office.view(order)
    assert view.order.needs_attention == "the refund of 7.00 GBP failed"
    assert (view.order.payment_state, view.payments[0].refunded) == (PaymentState.CAPTURED, 0)
    again = await give_back(office, order, 2000)
    await decided(office, again, RefundStatus.SUCCEEDED)
    assert await office.money(order) == {"captured": 2000, "refunded": 2000}
    assert await office.broken(order) == []


async def test_a_refund_that_the_bank_returns_is_read_though_another_is_pending(office: BackOffice) -> None:
    for kind in ("refund.failed", "refund.updated"):
        await office.post(office.stripe, "webhooks/modes", event_type=kind, mode="lose", times=3)
    await delay(office, 0.0, failures=1)
    order = await paid(office)
    returned = await give_back(office, order, 700)
    assert returned.status is RefundStatus.SUCCEEDED
    lost = await until(lambda: _lost(office, "refund.failed"))
    await delay(office, 600.0)
    pending = await give_back(office, order, 300)
    assert pending.status is RefundStatus.PENDING
    await office.post(office.stripe, f"webhooks/resend/{lost}")
    await decided(office, returned, RefundStatus.FAILED)
    assert (await office.refund_stored(pending.id)).status is RefundStatus.PENDING
    view = await office.view(order)
    assert (view.order.payment_state, view.payments[0].refunded) == (PaymentState.CAPTURED, 0)
    assert await office.broken(order) == []


async def test_a_refund_that_the_provider_refuses_is_a_failed_refund(office: BackOffice) -> None:
    order = await paid(office, token="pm_card_createDispute")
    await office.until(order, lambda view: view.order.needs_attention is not None)
    refund = await give_back(office, order, 700)
    assert (refund.status, refund.failure_code) == (RefundStatus.FAILED, "charge_disputed")
    assert await office.money(order) == {"captured": 2000, "disputed": 2000}
    await office.sweep()
    assert (await office.refund_stored(refund.id)).status is RefundStatus.FAILED


async def test_the_refund_of_a_cancelled_order_that_fails_later_is_parked_and_made_again(
    office: BackOffice,
) -> None:
    await delay(office, 0.3, failures=1)
    order = await paid(office)
    answer = await office.cancel(order)
    assert (answer.accepted, answer.money_returned) == (True, False)
    view = await office.view(order)
    assert "give the money back" in (view.order.needs_attention or "")
    await delay(office, 0.0)
    again = ResolveCompensation("give the money back", Resolution.RETRY, CONTEXT)
    await TemporalWorkflows(office.client).resolve_compensation(order.id, again, "again")
    await office.order_workflow(order).result()
    assert await office.money(order) == {"captured": 2000, "refunded": 2000}
    assert (await office.view(order)).order.needs_attention is None
    assert await office.broken(order) == []


async def test_an_undo_waits_for_a_payment_that_is_busy_at_growing_intervals(office: BackOffice) -> None:
    """A refund that is pending keeps the payment's run open, at worst for days."""
    await delay(office, 4.0)
    order = await office.intend(await office.goods(), 2)
    await office.check_out(order, skip=True)
    await office.until(order, lambda view: bool(view.shipments and view.shipments[0].tracking_code))
    assert (await give_back(office, order, 500)).status is RefundStatus.PENDING
    await delay(office, 0.0)
    assert (await office.cancel(order)).money_returned
    await office.order_workflow(order).result()
    waits = await timers(office.order_workflow(order))
    assert waits[:2] == [1, 2]
    assert len(waits) < 12
    assert await office.money(order) == {"captured": 2000, "refunded": 2000}


async def test_cancelling_a_run_of_the_payment_only_hurries_it(office: BackOffice) -> None:
    office.planned.fail("capture_payment", BEFORE, non_retryable=True)
    order = await office.intend(await office.goods())
    await office.check_out(order)
    await office.until(order, lambda view: view.order.needs_attention is not None)
    await office.payment_workflow(order).cancel()
    await office.until(order, lambda view: view.order.payment_state is PaymentState.CAPTURED)
    await office.until(order, lambda view: bool(view.shipments[0].tracking_code))


async def test_a_terminated_capture_is_taken_up_by_the_next_run(office: BackOffice) -> None:
    office.planned.fail("capture_payment", BEFORE, non_retryable=True)
    gate = office.gates.close("flag_attention", BEFORE)
    order = await office.intend(await office.goods())
    await office.check_out(order, skip=True)
    await gate.arrival()
    await office.payment_workflow(order).terminate("by mistake")
    gate.open.set()
    await office.until(order, lambda view: view.order.payment_state is PaymentState.CAPTURED)
    assert (await office.journal(order)).count("payment_intent.captured") == 1


async def _lost(office: BackOffice, kind: str) -> str | None:
    answer = await office.http.get(f"{office.stripe.url}/_emulator/webhooks")
    found = [
        delivery["event_id"]
        for delivery in answer.json()["data"]
        if delivery["event_type"] == kind and delivery["state"] == "lost"
    ]
    return found[-1] if found else None
