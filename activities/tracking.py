"""A carrier's news applied to a shipment and its order: the same for the workflow and the relay."""

from collections.abc import Sequence

from activities.progress import announce, notify
from commerce.contracts import names
from commerce.contracts.context import RequestContext
from commerce.contracts.notifications import NotificationKind
from commerce.contracts.statuses import FulfilmentState, ShipmentStatus
from commerce.domain.orders import Order, Shipment
from commerce.domain.ports import UnitOfWork
from commerce.domain.providers import TrackingFact
from commerce.domain.states import FULFILMENT_MOVES, HANDED_OVER_FROM, SHIPMENT_RANK


async def apply_tracking(
    tx: UnitOfWork, order_id: str, shipment_id: str, facts: Sequence[TrackingFact], context: RequestContext
) -> tuple[Shipment, Order]:
    """Moves the shipment by rank, then whatever follows from it: stock, order, mail, event, timeline."""
    order = await tx.orders.get(order_id, lock=True)
    before = await tx.shipments.get(shipment_id, lock=True)
    shipment, changed = await tx.shipments.record_tracking(shipment_id, facts)
    if not changed:
        return shipment, order
    parcels = await tx.shipments.for_order(order_id)
    fulfilment = fulfilment_of([parcel.status for parcel in parcels])
    if fulfilment is not order.fulfilment_state and fulfilment in FULFILMENT_MOVES[order.fulfilment_state]:
        order = await tx.orders.move(order_id, fulfilment=fulfilment)
    await tx.timeline.add(
        order_id,
        f"shipment_{shipment.status.value}",
        _TEXTS[shipment.status],
        {"shipment_id": shipment.id, "tracking_code": shipment.tracking_code},
    )
    if shipment.status in {ShipmentStatus.LOST, ShipmentStatus.RETURNING}:
        await tx.orders.set_attention(order_id, f"parcel {shipment.id} is {shipment.status.value}")
    if _left_the_house(before) is False and _left_the_house(shipment):
        await notify(tx, order_id, NotificationKind.ORDER_SHIPPED, context, dedupe=shipment.id)
        await tx.stock.deduct(order_id, shipment_id, shipment.lines)
    if order.fulfilment_state is FulfilmentState.DELIVERED:
        await announce(tx, order, names.TOPIC_ORDER_DELIVERED, "OrderDelivered", context)
        await notify(tx, order_id, NotificationKind.ORDER_DELIVERED, context)
    return shipment, order


def fulfilment_of(parcels: Sequence[ShipmentStatus]) -> FulfilmentState:
    """The order's fulfilment axis from its parcels; cancelled ones do not count."""
    counted = [status for status in parcels if status is not ShipmentStatus.CANCELLED]
    out = [status for status in counted if SHIPMENT_RANK[status] >= HANDED_OVER_FROM]
    if counted and all(status is ShipmentStatus.DELIVERED for status in counted):
        return FulfilmentState.DELIVERED
    if ShipmentStatus.LOST in counted:
        return FulfilmentState.LOST
    if counted and len(out) == len(counted):
        return FulfilmentState.SHIPPED
    return FulfilmentState.PARTIAL if out else FulfilmentState.UNFULFILLED


def _left_the_house(shipment: Shipment) -> bool:
    return (
        shipment.status is not ShipmentStatus.CANCELLED and SHIPMENT_RANK[shipment.status] >= HANDED_OVER_FROM
    )


_TEXTS = {
    ShipmentStatus.ALLOCATED: "The parcel is being packed.",
    ShipmentStatus.LABELLED: "The parcel has its label and waits for the carrier.",
    ShipmentStatus.HANDED_OVER: "The carrier has the parcel.",
    ShipmentStatus.OUT_FOR_DELIVERY: "The parcel is out for delivery.",
    ShipmentStatus.DELIVERED: "The parcel was delivered.",
    ShipmentStatus.RETURNING: "The parcel is on its way back to us.",
    ShipmentStatus.LOST: "The carrier has lost the parcel.",
    ShipmentStatus.CANCELLED: "The parcel was cancelled.",
}
