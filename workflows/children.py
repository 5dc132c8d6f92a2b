"""The order's children: lives of their own, which outlast it if they must."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ChildWorkflowError, WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowHandle, ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from commerce.contracts import names
    from commerce.contracts.checkout import CheckoutInput, OrderProgress
    from commerce.contracts.ids import payment_workflow_id, shipment_workflow_id
    from commerce.contracts.payments import PaymentInput, PaymentSettled, PaymentTask
    from commerce.contracts.queues import TaskQueue
    from commerce.contracts.shipping import ShipmentInput, ShipmentResult

BUSY_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=10)
"""A refund may be pending at the bank for days, and its run with it."""


class Children:
    """Starts each child, awaits its start, and shields it from whatever ends the waiting."""

    def __init__(self, order: CheckoutInput) -> None:
        self._order = order
        self._shipments: list[ChildWorkflowHandle[object, ShipmentResult]] = []
        self._capture: ChildWorkflowHandle[object, PaymentSettled] | None = None

    async def settle(self, task: PaymentTask) -> OrderProgress:
        """Runs the payment's workflow for one task; where it is busy with another, waits its turn.

        A capture whose run was ended by hand is taken up by the next one.
        """
        order = self._order
        command = PaymentInput(
            payment_id=order.payment_id,
            order_id=order.order_id,
            number=order.number,
            amount=order.total,
            provider=order.provider,
            task=task,
            context=order.context,
            attention_after_seconds=order.policy.attention_after_seconds,
        )
        pause = BUSY_PAUSE
        while True:
            try:
                child: ChildWorkflowHandle[object, PaymentSettled] = await workflow.start_child_workflow(
                    names.PAYMENT_WORKFLOW,
                    command,
                    id=payment_workflow_id(order.payment_id),
                    task_queue=TaskQueue.PAYMENTS,
                    parent_close_policy=ParentClosePolicy.ABANDON,
                    result_type=PaymentSettled,
                    static_summary=f"{task.value.capitalize()} {order.total} for order {order.number}",
                )
            except WorkflowAlreadyStartedError:
                await workflow.sleep(pause, summary="The payment's workflow is busy")
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            if task is PaymentTask.CAPTURE:
                self._capture = child
            try:
                settled = await asyncio.shield(child)
            except ChildWorkflowError:
                if task is PaymentTask.UNDO:
                    raise
                await workflow.sleep(BUSY_PAUSE, summary="The capture's run was ended: the next one follows")
                continue
            return settled.progress

    async def ship(self, shipment_ids: list[str]) -> OrderProgress | None:
        """One workflow per parcel; returns when all have ended."""
        order = self._order
        for shipment_id in shipment_ids:
            self._shipments.append(
                await workflow.start_child_workflow(
                    names.SHIPMENT_WORKFLOW,
                    ShipmentInput(
                        shipment_id,
                        order.order_id,
                        order.number,
                        order.context,
                        order.policy.attention_after_seconds,
                    ),
                    id=shipment_workflow_id(shipment_id),
                    task_queue=TaskQueue.FULFILMENT,
                    parent_close_policy=ParentClosePolicy.ABANDON,
                    result_type=ShipmentResult,
                    static_summary=f"A parcel of order {order.number}",
                )
            )
        results = await asyncio.gather(*(asyncio.shield(parcel) for parcel in self._shipments))
        news = [result.order for result in results if result.order is not None]
        return max(news, key=lambda progress: progress.version, default=None)

    async def stop(self) -> None:
        """Has what goes forward look at its order again: a parcel gives its label back, a capture ends.

        The capture's end is awaited: its workflow id is about to be used again, to give the money back.
        """
        for child in [*self._shipments, self._capture]:
            if child is not None and not child.done():
                child.cancel()
        if self._capture is not None:
            await asyncio.gather(self._capture, return_exceptions=True)
