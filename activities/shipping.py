"""Steps at the carrier: one label per parcel, and its way to the door."""

from temporalio import activity

from activities.progress import progress_of
from activities.tracking import apply_tracking
from commerce.contracts.shipping import Label, RecordTracking, ShipmentProgress, ShipmentRef
from commerce.contracts.statuses import PaymentState, ShipmentStatus
from commerce.domain.errors import Fenced
from commerce.domain.orders import Order, Shipment
from commerce.domain.ports import Carrier, Database, WorkflowGateway
from commerce.domain.providers import ParcelRequest


class ShippingActivities:
    def __init__(self, database: Database, carrier: Carrier, workflows: WorkflowGateway) -> None:
        self._database = database
        self._carrier = carrier
        self._workflows = workflows

    @activity.defn(name="buy_label")
    async def buy_label(self, ref: ShipmentRef) -> Label:
        """Buys the parcel's label once. Raises Fenced while the order's money is not taken."""
        order, shipment = await self._read(ref)
        if shipment.status is ShipmentStatus.CANCELLED:
            return Label(bought=False)
        if shipment.tracking_code is not None:
            return Label(bought=True, tracking_code=shipment.tracking_code)
        if order.payment_state not in _PAID:
            raise Fenced(f"order {order.id} is not paid: {order.payment_state}")
        label = await self._carrier.buy_label(
            ParcelRequest(
                shipment_id=shipment.id,
                order_id=order.id,
                ship_to=order.shipping_address,
                pieces=sum(line.quantity for line in shipment.lines),
            )
        )
        try:
            async with self._database.transaction(ref.context.as_system()) as tx:
                await tx.shipments.record_label(shipment.id, label)
                data = {"shipment_id": shipment.id, "tracking_code": label.tracking_code}
                text = f"The parcel has its label ({label.carrier}) and waits for the carrier."
                await tx.timeline.add(order.id, "labelled", text, {**data})
        except Fenced:
            await self._carrier.void_label(shipment.id)
            return Label(bought=False)
        return Label(bought=True, tracking_code=label.tracking_code)

    @activity.defn(name="void_label")
    async def void_label(self, ref: ShipmentRef) -> bool:
        """Gives a cancelled parcel's label back, fine where none was bought; False for any other parcel."""
        _, shipment = await self._read(ref)
        if shipment.status is not ShipmentStatus.CANCELLED:
            return False
        await self._carrier.void_label(ref.shipment_id)
        return True

    @activity.defn(name="record_tracking")
    async def record_tracking(self, command: RecordTracking) -> ShipmentProgress:
        """Reads the carrier's facts behind the inbox rows, takes them over, tells the order's workflow."""
        async with self._database.transaction(command.context.as_system()) as tx:
            before = await tx.orders.get(command.order_id)
            events = await tx.inbox.events(command.event_ids)
            facts = [fact for event in events for fact in self._carrier.facts(event)]
            shipment, order = await apply_tracking(
                tx, command.order_id, command.shipment_id, facts, command.context
            )
            await tx.inbox.mark_seen(command.event_ids)
        if order.status is not before.status and shipment.status is not ShipmentStatus.DELIVERED:
            await self._workflows.tell_progress(order.id, progress_of(order))
        return ShipmentProgress(shipment.status, progress_of(order))

    async def _read(self, ref: ShipmentRef) -> tuple[Order, Shipment]:
        async with self._database.reading() as tx:
            return await tx.orders.get(ref.order_id), await tx.shipments.get(ref.shipment_id)


_PAID = {PaymentState.CAPTURED, PaymentState.PARTIALLY_REFUNDED}
