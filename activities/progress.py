"""What steps of several areas share: an order's progress, and the news that leave with a change."""

from commerce.contracts.checkout import OrderProgress
from commerce.contracts.context import RequestContext
from commerce.contracts.ids import EVENT, NOTIFICATION, derived_id, new_id
from commerce.contracts.notifications import NotificationKind
from commerce.domain.messaging import NewNotification, OutboxKind, OutboxMessage
from commerce.domain.orders import Order
from commerce.domain.ports import UnitOfWork

Detail = dict[str, str | int | bool | None]
"""What a timeline entry may carry beside its text: ids and amounts."""


def progress_of(order: Order) -> OrderProgress:
    return OrderProgress(order.version, order.status, order.payment_state)


async def announce(
    tx: UnitOfWork, order: Order, topic: str, event_type: str, context: RequestContext
) -> None:
    """A domain event of the order, committed with the change that it reports."""
    payload: dict[str, object] = {
        "type": event_type,
        "order_id": order.id,
        "number": order.number,
        "customer_id": order.customer_id,
        "status": order.status.value,
        "total": {"amount": order.totals.total, "currency": order.totals.currency},
        "livemode": order.livemode,
    }
    await tx.outbox.add(
        OutboxMessage(
            id=derived_id(EVENT, order.id, _SEQUENCE_OF_TOPIC[topic]),
            kind=OutboxKind.DOMAIN_EVENT,
            topic=topic,
            key=order.id,
            payload=payload,
            context=context,
        )
    )


async def notify(
    tx: UnitOfWork, order_id: str, kind: NotificationKind, context: RequestContext, dedupe: str = ""
) -> None:
    """One message to the order's customer per kind and `dedupe`, sent once this transaction is certain."""
    notification_id = await tx.notifications.create(
        NewNotification(new_id(NOTIFICATION), order_id, kind, dedupe)
    )
    await tx.outbox.add(
        OutboxMessage(
            id=notification_id.replace(NOTIFICATION, EVENT, 1),
            kind=OutboxKind.NOTIFICATION,
            topic="",
            key=notification_id,
            payload={"order_id": order_id, "kind": kind.value},
            context=context,
        )
    )


_SEQUENCE_OF_TOPIC = {"order-placed": 1, "order-delivered": 2}
