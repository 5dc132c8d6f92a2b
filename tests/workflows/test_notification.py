"""Messages to people wait for their mail server; nothing waits for them."""

from support.backoffice import BackOffice
from support.faults import AFTER, BEFORE
from support.histories import described
from support.waiting import until
from temporalio.client import WorkflowExecutionStatus

from commerce.contracts import ids
from commerce.contracts.statuses import NotificationStatus, OrderStatus
from commerce.domain.orders import Order


async def message(office: BackOffice, order: Order, kind: str) -> str:
    """The id of the order's message of this kind, once it is stored."""

    async def look() -> str | None:
        found = office.query(
            str, "SELECT id FROM notifications WHERE order_id = %s AND kind = %s", order.id, kind
        )
        return found[0] if found else None

    found: str = await until(look)
    return found


async def sent(office: BackOffice, notification_id: str) -> bool:
    async with office.adapters.database.reading() as tx:
        return (await tx.notifications.get(notification_id)).status is NotificationStatus.SENT


async def test_a_mail_server_that_is_down_gets_the_message_when_it_is_back(office: BackOffice) -> None:
    office.planned.fail("send_message", BEFORE, times=3)
    order = await office.intend(await office.goods())
    await office.check_out(order)
    notification_id = await message(office, order, "order_placed")
    await until(lambda: sent(office, notification_id))
    assert office.planned.struck["send_message", BEFORE] == 3
    handle = office.client.get_workflow_handle(ids.notification_workflow_id(notification_id))
    await handle.result()
    history = await handle.fetch_history()
    scheduled = [e for e in history.events if e.HasField("activity_task_scheduled_event_attributes")]
    assert len(scheduled) == 1


async def test_a_message_that_was_sent_is_not_sent_again_by_a_repeat(office: BackOffice) -> None:
    office.planned.fail("send_message", AFTER)
    order = await office.intend(await office.goods())
    await office.check_out(order)
    notification_id = await message(office, order, "order_placed")
    await until(lambda: sent(office, notification_id))
    handle = office.client.get_workflow_handle(ids.notification_workflow_id(notification_id))
    assert await handle.result() is not None
    assert office.planned.struck["send_message", AFTER] == 1


async def test_a_message_that_can_never_be_sent_fails_alone(office: BackOffice) -> None:
    office.planned.fail("send_message", BEFORE, times=1, non_retryable=True)
    order = await office.intend(await office.goods())
    await office.check_out(order)
    notification_id = await message(office, order, "order_placed")
    handle = office.client.get_workflow_handle(ids.notification_workflow_id(notification_id))

    async def failed() -> bool:
        found = await described(handle)
        return found is not None and found.status is WorkflowExecutionStatus.FAILED

    await until(failed)
    await office.until(order, lambda view: bool(view.shipments and view.shipments[0].tracking_code))
    await office.scan(order, "delivered")
    view = await office.until(order, lambda view: view.order.status is OrderStatus.DELIVERED)
    assert view.order.needs_attention is None
