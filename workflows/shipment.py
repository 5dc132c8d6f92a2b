"""One parcel: its label, the carrier's news, the door."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.shipping import ShippingActivities
    from commerce.contracts import names
    from commerce.contracts.checkout import ExternalEvent, OrderProgress
    from commerce.contracts.queues import TaskQueue
    from commerce.contracts.shipping import Label, RecordTracking, ShipmentInput, ShipmentRef, ShipmentResult
    from commerce.contracts.statuses import ShipmentStatus

from workflows.compensation import shielded
from workflows.options import STEP_FAILURES, database_step, provider_step, words_of
from workflows.patience import Patience
from workflows.situation import Situation


@workflow.defn(name=names.SHIPMENT_WORKFLOW)
class ShipmentWorkflow:
    """Cancelling it has it look at the order: the label of a cancelled order's parcel is given back."""

    @workflow.init
    def __init__(self, command: ShipmentInput) -> None:
        self._ref = ShipmentRef(command.shipment_id, command.order_id, command.context)
        self._events: dict[str, ExternalEvent] = {}
        self._read_events: set[str] = set()
        self._status = ShipmentStatus.ALLOCATED
        self._order: OrderProgress | None = None
        self._asked_to_stop = False
        self._attention_after_seconds = command.attention_after_seconds
        self._situation = Situation(f"A parcel of order {command.number}")
        self._patience = Patience(command.order_id, command.context, self._situation)

    @workflow.run
    async def run(self, command: ShipmentInput) -> ShipmentResult:
        return await shielded(self._story(), self._on_stop)

    def _on_stop(self) -> None:
        self._asked_to_stop = True
        self._patience.hurry()

    async def _story(self) -> ShipmentResult:
        if not await self._buy_label():
            await self._give_label_back()
            return self._result(ShipmentStatus.CANCELLED)
        while self._status not in _ENDS or self._unread():
            await workflow.wait_condition(lambda: bool(self._unread()) or self._asked_to_stop)
            if self._unread():
                await self._take_news_over()
            elif await self._give_label_back():
                return self._result(ShipmentStatus.CANCELLED)
        return self._result(self._status)

    async def _buy_label(self) -> bool:
        self._situation.tell("Buying a label", waiting_for="the carrier", then="The carrier picks it up.")
        label = await self._patience.until_done("buy a label", self._try_to_buy_label)
        self._labelled = label.bought
        if label.bought:
            self._situation.tell(
                f"Labelled {label.tracking_code}",
                waiting_for="the carrier's news (asked for if they stay away)",
                then="Shipped, then delivered.",
            )
        return label.bought

    async def _try_to_buy_label(self) -> Label:
        return await provider_step(
            ShippingActivities.buy_label,
            self._ref,
            "Buy a label",
            queue=TaskQueue.FULFILMENT,
            give_up_after=timedelta(seconds=self._attention_after_seconds),
        )

    async def _take_news_over(self) -> None:
        event_ids = self._unread()
        self._read_events.update(event_ids)
        progress = await database_step(
            ShippingActivities.record_tracking,
            RecordTracking(self._ref.shipment_id, self._ref.order_id, self._ref.context, event_ids),
            "Take the carrier's news over",
        )
        self._status, self._order = progress.status, progress.order
        self._situation.tell(
            f"The carrier says: {progress.status.value.replace('_', ' ')}",
            waiting_for=None if progress.status in _ENDS else "the carrier's news",
        )

    def _unread(self) -> list[str]:
        return [event_id for event_id in self._events if event_id not in self._read_events]

    async def _give_label_back(self) -> bool:
        """False while the order stands. Where the carrier has the parcel already, a person must stop it."""
        self._asked_to_stop = False
        try:
            given_back = await provider_step(
                ShippingActivities.void_label, self._ref, "Give the label back", queue=TaskQueue.FULFILMENT
            )
        except STEP_FAILURES as failure:
            await self._patience.flag(f"stop a parcel of a cancelled order: {words_of(failure)}")
            return True
        if given_back:
            self._situation.tell("Cancelled; the label is given back")
        return given_back

    def _result(self, status: ShipmentStatus) -> ShipmentResult:
        return ShipmentResult(self._ref.shipment_id, status, self._order)

    @workflow.signal(name=names.EXTERNAL_EVENT)
    def external_event(self, event: ExternalEvent) -> None:
        """The carrier's news waits in the inbox; its event id is taken once."""
        self._events.setdefault(event.event_id, event)


_ENDS = {ShipmentStatus.DELIVERED, ShipmentStatus.RETURNING, ShipmentStatus.CANCELLED}
