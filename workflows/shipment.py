"""One parcel: its label, the carrier's news, the door."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

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
    """Cancelling it gives the label back; once the carrier has the parcel a cancellation changes nothing."""

    @workflow.init
    def __init__(self, command: ShipmentInput) -> None:
        self._ref = ShipmentRef(command.shipment_id, command.order_id, command.context)
        self._events: dict[str, ExternalEvent] = {}
        self._read_events: set[str] = set()
        self._status = ShipmentStatus.ALLOCATED
        self._order: OrderProgress | None = None
        self._labelled = False
        self._attention_after_seconds = command.attention_after_seconds
        self._situation = Situation(f"A parcel of order {command.number}")
        self._patience = Patience(command.order_id, command.context, self._situation)

    @workflow.run
    async def run(self, command: ShipmentInput) -> ShipmentResult:
        while True:
            try:
                if not self._labelled and not await self._buy_label():
                    return self._result(ShipmentStatus.CANCELLED)
                await self._follow()
                return self._result(self._status)
            except (asyncio.CancelledError, *STEP_FAILURES) as failure:
                if not isinstance(failure, asyncio.CancelledError) and not is_cancelled_exception(failure):
                    raise
            if self._status not in _LEFT_THE_HOUSE:
                await shielded(self._give_label_back())
                return self._result(ShipmentStatus.CANCELLED)

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

    async def _follow(self) -> None:
        while self._status not in _ENDS or self._unread():
            await workflow.wait_condition(lambda: bool(self._unread()))
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

    async def _give_label_back(self) -> None:
        """Where the carrier has the parcel already, only a person can stop it."""
        self._situation.tell("Cancelled", then="The label is given back.")
        try:
            await provider_step(
                ShippingActivities.void_label, self._ref, "Give the label back", queue=TaskQueue.FULFILMENT
            )
        except STEP_FAILURES as failure:
            await self._patience.flag(f"stop a parcel of a cancelled order: {words_of(failure)}")

    def _result(self, status: ShipmentStatus) -> ShipmentResult:
        return ShipmentResult(self._ref.shipment_id, status, self._order)

    @workflow.signal(name=names.EXTERNAL_EVENT)
    def external_event(self, event: ExternalEvent) -> None:
        """The carrier's news waits in the inbox; its event id is taken once."""
        self._events.setdefault(event.event_id, event)


_LEFT_THE_HOUSE = {ShipmentStatus.HANDED_OVER, ShipmentStatus.OUT_FOR_DELIVERY, ShipmentStatus.LOST}
_ENDS = {ShipmentStatus.DELIVERED, ShipmentStatus.RETURNING, ShipmentStatus.CANCELLED}
