"""Undoing that fails: parked in sight of support, past the others, tried by itself or decided by support."""

import pytest
from support.backoffice import QUICK, BackOffice
from support.faults import BEFORE
from support.histories import timers
from support.waiting import until

from commerce.contracts.checkout import OrderSituation, Resolution, ResolveCompensation
from commerce.contracts.context import RequestContext
from commerce.contracts.names import STATUS
from commerce.contracts.statuses import OrderState, PaymentStatus
from commerce.domain.errors import Conflict
from commerce.domain.orders import Order
from commerce.runtime.workflow_gateway import TemporalWorkflows

CARD = "pm_card_authenticationRequired"
VOID = "void the payment"
SUPPORT = RequestContext("req_support", "support:s1")


async def parked(office: BackOffice, *, skip: bool = False, times: int = 1) -> tuple[str, Order]:
    """An order whose confirmation failed and whose void is refused so many times."""
    sku = await office.goods()
    order = await office.intend(sku, 2, token=CARD)
    office.planned.fail("void_payment", BEFORE, times=times, non_retryable=True)
    await office.check_out(order, QUICK, skip=skip)
    return sku, order


async def resolve(office: BackOffice, order: Order, resolution: Resolution, reference: str = "") -> None:
    await TemporalWorkflows(office.client).resolve_compensation(
        order.id, ResolveCompensation(VOID, resolution, SUPPORT, reference), f"resolve-{resolution.value}"
    )


async def situation(office: BackOffice, order: Order) -> OrderSituation:
    answer: OrderSituation = await office.order_workflow(order).query(STATUS, result_type=OrderSituation)
    return answer


async def until_parked(office: BackOffice, order: Order) -> OrderSituation:
    await office.until(order, lambda view: view.order.needs_attention is not None)
    return await situation(office, order)


async def test_a_failing_undo_is_shown_everywhere_while_the_others_go_on(office: BackOffice) -> None:
    sku, order = await parked(office)
    await office.authenticate(order, "fail")
    seen = await until_parked(office, order)
    assert [item.step for item in seen.parked] == [VOID]
    assert "planned fault before void_payment" in seen.parked[0].error
    view = await office.view(order)
    assert view.order.order_state is OrderState.CANCELLED
    assert "planned fault before void_payment" in (view.order.needs_attention or "")
    assert await office.available(sku) == 10
    attributes = (await office.order_workflow(order).describe()).search_attributes
    assert attributes["NeedsAttention"] == [True]


async def test_a_parked_undo_is_tried_by_itself_at_growing_intervals(office: BackOffice) -> None:
    sku = await office.goods()
    order = await office.intend(sku, 2, token=CARD)
    office.planned.fail("void_payment", BEFORE, times=3, non_retryable=True)
    await office.check_out(order, QUICK, skip=True)
    await office.order_workflow(order).result()
    assert (await timers(office.order_workflow(order)))[-3:] == [60, 240, 960]
    view = await office.view(order)
    assert (view.payments[0].status, view.order.needs_attention) == (PaymentStatus.VOIDED, None)
    attributes = (await office.order_workflow(order).describe()).search_attributes
    assert attributes["NeedsAttention"] == [False]
    assert await office.intent(order) == "canceled"
    assert await office.broken(order, sku) == []


async def test_support_has_a_parked_undo_tried_at_once(office: BackOffice) -> None:
    _, order = await parked(office)
    await office.authenticate(order, "fail")
    await until_parked(office, order)
    await resolve(office, order, Resolution.RETRY)
    await office.order_workflow(order).result()
    assert (await office.view(order)).payments[0].status is PaymentStatus.VOIDED
    assert await office.audited(order, "compensation.resolve") == [
        {"step": VOID, "resolution": "retry", "reference": ""}
    ]


@pytest.mark.parametrize("resolution", [Resolution.MARK_DONE, Resolution.WRITE_OFF])
async def test_support_closes_a_parked_undo_by_a_decision_that_is_audited(
    office: BackOffice, resolution: Resolution
) -> None:
    _, order = await parked(office)
    await office.authenticate(order, "fail")
    await until_parked(office, order)
    await resolve(office, order, resolution, "ticket 7")
    await office.order_workflow(order).result()
    assert (await office.view(order)).order.needs_attention is None
    assert office.gates.done["void_payment", order.id] == 0
    assert await office.audited(order, "compensation.resolve") == [
        {"step": VOID, "resolution": resolution.value, "reference": "ticket 7"}
    ]


async def test_a_decision_on_a_step_that_is_not_parked_is_refused_and_leaves_no_trace(
    office: BackOffice,
) -> None:
    _, order = await parked(office, times=0)
    with pytest.raises(Conflict):
        await resolve(office, order, Resolution.WRITE_OFF)
    assert await office.audited(order, "compensation.resolve") == []
    assert (await situation(office, order)).parked == []


async def test_a_cancellation_answers_while_the_money_is_still_parked(office: BackOffice) -> None:
    _, order = await parked(office)
    answer = await office.cancel(order)
    assert (answer.accepted, answer.money_returned) == (True, False)
    await resolve(office, order, Resolution.RETRY)
    await office.order_workflow(order).result()
    assert await office.money(order) == {}


async def test_the_first_refusal_is_what_the_shopper_hears_though_the_undo_fails(office: BackOffice) -> None:
    order = await office.intend(await office.goods(), token="pm_card_chargeDeclined")
    office.planned.fail("void_payment", BEFORE, non_retryable=True)
    answer = await office.check_out(order, QUICK, skip=True)
    assert (answer.status.value, answer.decline_code) == ("declined", "generic_decline")
    await office.order_workflow(order).result()
    assert (await office.view(order)).order.needs_attention is None


async def test_a_cancellation_does_not_interrupt_the_undoing_of_a_refused_order(office: BackOffice) -> None:
    gate = office.gates.close("void_payment", BEFORE)
    order = await office.intend(await office.goods(), token=CARD)
    await office.check_out(order, QUICK)
    await office.authenticate(order, "fail")
    await gate.arrival()
    await office.order_workflow(order).cancel()
    await _accepted(office, order)
    gate.open.set()
    await office.order_workflow(order).result()
    view = await office.view(order)
    assert view.payments[0].status is PaymentStatus.VOIDED
    assert "attention" not in await office.timeline(order)


async def _accepted(office: BackOffice, order: Order) -> None:
    async def asked_twice() -> bool:
        return office.gates.done["cancel_order", order.id] > 0

    await until(asked_twice)
