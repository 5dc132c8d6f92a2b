"""Steps that change the order itself; each is one transaction that a repeat finds done."""

from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.holds import hold_id, hold_lines, release_holds
from activities.progress import announce, notify, progress_of
from commerce.contracts import names
from commerce.contracts.checkout import (
    CancelCommand,
    CancelDecision,
    CompleteOrder,
    FlagAttention,
    OrderProgress,
    OrderRef,
    PlacedOrder,
    PlaceOrder,
    PromiseCheck,
    RecordResolution,
    RejectOrder,
    Shortage,
)
from commerce.contracts.context import RequestContext
from commerce.contracts.ids import EVENT, SHIPMENT, derived_id
from commerce.contracts.notifications import NotificationKind
from commerce.contracts.statuses import OrderState, PaymentState, PaymentStatus
from commerce.domain.errors import Fenced
from commerce.domain.messaging import OutboxKind, OutboxMessage
from commerce.domain.orders import Order
from commerce.domain.ports import Database, UnitOfWork
from commerce.domain.states import is_cancellable


class OrderActivities:
    def __init__(self, database: Database, price_lock: timedelta = timedelta(minutes=15)) -> None:
        self._database = database
        self._price_lock = price_lock

    @activity.defn(name="verify_promise")
    async def verify_promise(self, ref: OrderRef) -> PromiseCheck:
        """Whether the promised prices still hold: inside the price lock always, later if nothing changed."""
        async with self._database.reading() as tx:
            order = await tx.orders.get(ref.order_id)
            if order.order_state is not OrderState.PENDING:
                raise Fenced(f"order {order.id} is {order.order_state}")
            if datetime.now(UTC) - order.created_at <= self._price_lock:
                return PromiseCheck(ok=True)
            lines = await tx.orders.lines(order.id)
            current = await tx.catalogue.priced([line.sku for line in lines], order.totals.currency)
        kept = all(line.sku in current and current[line.sku].unit_price == line.unit_price for line in lines)
        return PromiseCheck(ok=kept, price_changed=not kept)

    @activity.defn(name="place_order")
    async def place_order(self, command: PlaceOrder) -> PlacedOrder:
        """Confirms the order: state, allocation, shipment, event and mail in one transaction, or none of it.

        Raises Fenced once the order is cancelled.
        """
        try:
            async with self._database.transaction(command.context.as_system()) as tx:
                return await self._place(tx, command)
        except _OutOfStock as short:
            return PlacedOrder(placed=False, progress=short.progress, shortages=short.shortages)

    async def _place(self, tx: UnitOfWork, command: PlaceOrder) -> PlacedOrder:
        order = await tx.orders.get(command.order_id, lock=True)
        if order.order_state is OrderState.CONFIRMED:
            shipments = await tx.shipments.for_order(order.id)
            return PlacedOrder(True, progress_of(order), [shipment.id for shipment in shipments])
        if order.order_state is not OrderState.PENDING:
            raise Fenced(f"order {order.id} is {order.order_state}")
        payment = await tx.payments.get(command.payment_id)
        if payment.status not in {PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED}:
            raise Fenced(f"payment {payment.id} is {payment.status}: the order holds no money")
        placed = await tx.orders.move(order.id, order=OrderState.CONFIRMED, payment=PaymentState.AUTHORISED)
        await self._tell_world(tx, placed, command.context)
        lines = hold_lines(await tx.orders.lines(order.id))
        allocation = await tx.stock.allocate(await hold_id(tx, order), order.id, lines)
        if not allocation.held:
            raise _OutOfStock(progress_of(order), allocation.shortages)
        shipment_id = derived_id(SHIPMENT, order.id)
        await tx.shipments.create(shipment_id, order.id, await tx.stock.allocations(order.id))
        return PlacedOrder(True, progress_of(placed), [shipment_id])

    async def _tell_world(self, tx: UnitOfWork, order: Order, context: RequestContext) -> None:
        await announce(tx, order, names.TOPIC_ORDER_PLACED, "OrderPlaced", context)
        await notify(tx, order.id, NotificationKind.ORDER_PLACED, context)
        await tx.outbox.add(
            OutboxMessage(
                id=derived_id(EVENT, order.id, 3),
                kind=OutboxKind.CLOSE_CART,
                topic="",
                key=order.cart_id,
                payload={"order_id": order.id},
                context=context,
            )
        )
        await tx.timeline.add(order.id, "placed", "The order is placed; the goods are set aside.")
        await tx.audit.add("order.place", "order", order.id, after={"status": order.status.value})

    @activity.defn(name="reject_order")
    async def reject_order(self, command: RejectOrder) -> OrderProgress:
        """Closes an order that was never placed and gives its hold back; no forward step acts after it."""
        async with self._database.transaction(command.context.as_system()) as tx:
            order = await tx.orders.get(command.order_id, lock=True)
            if order.order_state is OrderState.CANCELLED:
                return progress_of(order)
            if order.order_state is not OrderState.PENDING:
                raise Fenced(f"order {order.id} is {order.order_state}")
            rejected = await tx.orders.move(
                order.id,
                order=OrderState.CANCELLED,
                payment=PaymentState.FAILED,
                cancel_reason=command.reason.value,
            )
            text = f"The order was not placed: {command.reason.value.replace('_', ' ')}."
            await tx.timeline.add(order.id, "rejected", text, {"detail": command.detail})
            await tx.audit.add("order.reject", "order", order.id, after={"reason": command.reason.value})
            await release_holds(tx, order)
        return progress_of(rejected)

    @activity.defn(name="cancel_order")
    async def cancel_order(self, command: CancelCommand) -> CancelDecision:
        """Decides for good: accepted closes the order to every forward step, the goods are free again."""
        request = command.request
        async with self._database.transaction(request.context) as tx:
            order = await tx.orders.get(command.order_id, lock=True)
            shipments = await tx.shipments.for_order(order.id, lock=True)
            if order.order_state is OrderState.CANCELLED:
                return CancelDecision(True, progress_of(order))
            if not is_cancellable(order.order_state, [shipment.status for shipment in shipments]):
                return CancelDecision(
                    False, progress_of(order), refusal="a parcel of this order has left the house"
                )
            was_placed = order.order_state is OrderState.CONFIRMED
            for shipment in shipments:
                await tx.shipments.cancel(shipment.id)
            cancelled = await tx.orders.move(
                order.id,
                order=OrderState.CANCELLED,
                payment=None if was_placed else PaymentState.FAILED,
                cancel_reason="cancelled",
            )
            await tx.timeline.add(order.id, "cancelled", "The order is cancelled; the goods are free again.")
            await tx.audit.add(
                "order.cancel",
                "order",
                order.id,
                before={"status": order.status.value},
                after={"status": cancelled.status.value, "reason": request.reason},
            )
            if was_placed:
                await notify(tx, order.id, NotificationKind.ORDER_CANCELLED, request.context)
                await tx.stock.deallocate(order.id)
            await release_holds(tx, order)
        return CancelDecision(True, progress_of(cancelled), refund_due=was_placed)

    @activity.defn(name="complete_order")
    async def complete_order(self, command: CompleteOrder) -> OrderProgress:
        """The returns window is over."""
        async with self._database.transaction(command.context.as_system()) as tx:
            order = await tx.orders.get(command.order_id, lock=True)
            if order.order_state is not OrderState.CONFIRMED:
                return progress_of(order)
            return progress_of(await tx.orders.move(order.id, order=OrderState.COMPLETED))

    @activity.defn(name="flag_attention")
    async def flag_attention(self, command: FlagAttention) -> None:
        """Puts an order on support's list with a reason, or takes it off."""
        async with self._database.transaction(command.context.as_system()) as tx:
            await tx.orders.set_attention(command.order_id, command.reason)
            text = command.reason or "Support has nothing more to do here."
            await tx.timeline.add(command.order_id, "attention", text)

    @activity.defn(name="record_resolution")
    async def record_resolution(self, command: RecordResolution) -> None:
        """Audit row of support's decision on a parked compensation."""
        decision = command.decision
        async with self._database.transaction(decision.context) as tx:
            await tx.audit.add(
                "compensation.resolve",
                "order",
                command.order_id,
                after={
                    "step": decision.step,
                    "resolution": decision.resolution.value,
                    "reference": decision.reference,
                },
            )


class _OutOfStock(Exception):
    """Rolls the placement back: the hold had run out and somebody else has the goods."""

    def __init__(self, progress: OrderProgress, shortages: list[Shortage]) -> None:
        super().__init__("out of stock at placement")
        self.progress = progress
        self.shortages = shortages
