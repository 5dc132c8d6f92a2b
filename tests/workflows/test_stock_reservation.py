"""A cart's hold before its checkout, on the database's own clock, which tests move by hand."""

import asyncio

import pytest
from support.backoffice import CONTEXT, BackOffice
from support.faults import AFTER, BEFORE
from support.waiting import until

from commerce.contracts import ids
from commerce.contracts.statuses import OrderState, ReservationStatus
from commerce.contracts.stock import ExtendReservation, ReservationAnswer, ReservationInput
from commerce.domain.errors import Conflict, NotFound
from commerce.domain.stock import HoldLine, Reservation
from commerce.runtime.workflow_gateway import TemporalWorkflows


async def plan(office: BackOffice, sku: str, quantity: int, cart_id: str | None = None) -> ReservationInput:
    reservation_id, cart = ids.new_id(ids.RESERVATION), cart_id or ids.new_id(ids.CART)
    async with office.adapters.database.transaction(CONTEXT) as tx:
        await tx.stock.plan_reservation(reservation_id, cart, [HoldLine(1, sku, quantity)], 15)
    return ReservationInput(reservation_id, cart, 15, CONTEXT)


async def hold(office: BackOffice, wish: ReservationInput, *, skip: bool = False) -> ReservationAnswer:
    workflows = TemporalWorkflows(office.skipping if skip else office.client)
    answer = await workflows.reserve(wish, update_id=wish.reservation_id, wait_seconds=15.0)
    assert answer is not None
    return answer


async def held(office: BackOffice, quantity: int = 4) -> tuple[str, ReservationInput]:
    sku = await office.goods()
    wish = await plan(office, sku, quantity)
    assert (await hold(office, wish)).status is ReservationStatus.HELD
    return sku, wish


async def stored(office: BackOffice, wish: ReservationInput) -> Reservation:
    async with office.adapters.database.reading() as tx:
        return await tx.stock.reservation(wish.reservation_id)


async def closed(office: BackOffice, wish: ReservationInput) -> ReservationAnswer:
    handle = office.client.get_workflow_handle(
        ids.reservation_workflow_id(wish.reservation_id), result_type=ReservationAnswer
    )
    answer: ReservationAnswer = await handle.result()
    return answer


async def test_a_hold_keeps_the_goods_from_others(office: BackOffice) -> None:
    sku, wish = await held(office)
    level = await office.stock(sku)
    assert (level.held, level.available) == (4, 6)
    assert 890 < (await hold(office, wish)).seconds_left <= 900


async def test_a_hold_is_extended_once(office: BackOffice) -> None:
    _, wish = await held(office)
    before = (await stored(office, wish)).expires_at
    workflows = TemporalWorkflows(office.client)
    extended = await workflows.extend_reservation(
        wish.reservation_id, ExtendReservation(20, CONTEXT), "extend-1"
    )
    assert extended.refusal is None
    after = (await stored(office, wish)).expires_at
    assert after > before
    again = await workflows.extend_reservation(
        wish.reservation_id, ExtendReservation(20, CONTEXT), "extend-2"
    )
    assert "extended before" in (again.refusal or "")
    assert (await stored(office, wish)).expires_at == after


async def test_a_released_hold_gives_the_goods_back_and_ends(office: BackOffice) -> None:
    sku, wish = await held(office)
    answer = await TemporalWorkflows(office.client).release_reservation(wish.reservation_id, CONTEXT)
    assert answer.status is ReservationStatus.RELEASED
    assert (await closed(office, wish)).status is ReservationStatus.RELEASED
    assert await office.available(sku) == 10
    with pytest.raises(NotFound):
        await TemporalWorkflows(office.client).extend_reservation(
            wish.reservation_id, ExtendReservation(5, CONTEXT), "late"
        )


async def test_a_cancelled_workflow_gives_the_goods_back(office: BackOffice) -> None:
    sku, wish = await held(office)
    await office.client.get_workflow_handle(ids.reservation_workflow_id(wish.reservation_id)).cancel()
    assert (await closed(office, wish)).status is ReservationStatus.RELEASED
    assert await office.available(sku) == 10


@pytest.mark.parametrize("when", [BEFORE, AFTER])
async def test_a_workflow_cancelled_while_it_takes_the_hold_leaves_none(
    office: BackOffice, when: str
) -> None:
    gate = office.gates.close("hold_reservation", when, outside=True)
    sku = await office.goods()
    wish = await plan(office, sku, 4)
    waiting = asyncio.create_task(hold(office, wish))
    await gate.arrival()
    await office.client.get_workflow_handle(ids.reservation_workflow_id(wish.reservation_id)).cancel()
    assert (await waiting).status is ReservationStatus.RELEASED
    gate.open.set()
    assert (await closed(office, wish)).status is ReservationStatus.RELEASED
    assert await office.available(sku) == 10


async def test_a_hold_that_runs_out_gives_the_goods_back(office: BackOffice) -> None:
    sku = await office.goods()
    wish = await plan(office, sku, 4)
    assert (await hold(office, wish)).status is ReservationStatus.HELD
    office.sql(
        "UPDATE stock_holds SET expires_at = clock_timestamp() WHERE reservation_id = %s", wish.reservation_id
    )
    office.sql("UPDATE reservations SET expires_at = clock_timestamp() WHERE id = %s", wish.reservation_id)
    assert await office.available(sku) == 10
    handle = office.client.get_workflow_handle(ids.reservation_workflow_id(wish.reservation_id))
    await office.env.fast_forward(handle, 901.0)
    assert (await closed(office, wish)).status is ReservationStatus.EXPIRED
    assert (await stored(office, wish)).status is ReservationStatus.EXPIRED


async def test_a_hold_that_still_counts_in_the_database_is_not_ended_by_the_workflows_timer(
    office: BackOffice,
) -> None:
    sku, wish = await held(office)
    handle = office.client.get_workflow_handle(ids.reservation_workflow_id(wish.reservation_id))
    await office.env.fast_forward(handle, 901.0)

    async def looked() -> bool:
        return office.gates.done["expire_reservation", wish.reservation_id] >= 1

    await until(looked)
    assert (await stored(office, wish)).status is ReservationStatus.HELD
    assert await office.available(sku) == 6


async def test_a_checkout_takes_the_hold_over_and_the_timer_leaves_it_alone(office: BackOffice) -> None:
    sku, wish = await held(office)
    order = await office.intend(sku, 4, reservation=wish.reservation_id)
    await office.check_out(order)
    level = await office.stock(sku)
    assert (level.held, level.allocated, level.available) == (0, 4, 6)
    answer = await TemporalWorkflows(office.client).release_reservation(wish.reservation_id, CONTEXT)
    assert answer.refusal == "a checkout has taken it over"
    assert (await closed(office, wish)).status is ReservationStatus.CONSUMED
    assert (await office.view(order)).order.order_state is OrderState.CONFIRMED
    assert await office.available(sku) == 6


async def test_too_little_stock_holds_nothing_and_names_the_line(office: BackOffice) -> None:
    sku = await office.goods(on_hand=3)
    wish = await plan(office, sku, 4)
    answer = await hold(office, wish)
    assert answer.status is ReservationStatus.RELEASED
    [short] = answer.shortages
    assert (short.line_no, short.sku, short.requested, short.available) == (1, sku, 4, 3)
    await closed(office, wish)
    assert await office.available(sku) == 3


async def test_a_second_reservation_of_a_cart_is_refused_and_holds_nothing(office: BackOffice) -> None:
    sku, wish = await held(office)
    with pytest.raises(Conflict):
        await plan(office, sku, 2, cart_id=wish.cart_id)
    assert await office.available(sku) == 6


async def test_the_same_reservation_twice_at_once_is_one_hold(office: BackOffice) -> None:
    sku, wish = await held(office)
    assert (await hold(office, wish)).status is ReservationStatus.HELD
    assert office.gates.done["hold_reservation", wish.reservation_id] == 1
    assert await office.available(sku) == 6
