"""A payment after its authorisation: the one writer of captures, voids and refunds.

A run lives while there is something to do and ends; the next task starts the next run under the same id
(docs/adr/0003). What must be known between runs stands in PostgreSQL.
"""

import asyncio
import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.payments import PaymentActivities
    from commerce.contracts import names
    from commerce.contracts.checkout import ExternalEvent
    from commerce.contracts.errors import ErrorType
    from commerce.contracts.payments import (
        PaymentInput,
        PaymentRef,
        PaymentSettled,
        PaymentTask,
        ReadPayment,
        RefundOutcome,
        RefundPayment,
        RefundRequested,
    )
    from commerce.contracts.queues import TaskQueue
    from commerce.contracts.statuses import PaymentStatus, RefundStatus

from workflows.compensation import shielded
from workflows.options import OUTAGE, database_step, provider_step
from workflows.patience import Patience
from workflows.situation import Situation


@workflow.defn(name=names.PAYMENT_WORKFLOW)
class PaymentWorkflow:
    """Cancelling a run only hurries it: what is to be done stands in the order's row."""

    @workflow.init
    def __init__(self, command: PaymentInput) -> None:
        self._command = command
        self._ref = PaymentRef(command.payment_id, command.order_id, command.context)
        self._turn = asyncio.Lock()
        self._events: dict[str, ExternalEvent] = {}
        self._read_events: set[str] = set()
        self._pending: list[str] = []
        self._failed: dict[str, str | None] = {}
        self._result: PaymentSettled | None = None
        self._situation = Situation(f"Payment of {command.amount} for order {command.number}")
        self._patience = Patience(command.order_id, command.context, self._situation)

    @workflow.run
    async def run(self, command: PaymentInput) -> PaymentSettled:
        return await shielded(self._story(), self._patience.hurry)

    async def _story(self) -> PaymentSettled:
        undo: str | None = None
        if self._command.task is PaymentTask.CAPTURE:
            async with self._turn:
                self._result = await self._patience.until_done("take the money", self._capture)
        elif self._command.task is PaymentTask.UNDO:
            async with self._turn:
                undo = await self._give_back()
        while not workflow.all_handlers_finished() or self._pending:
            await workflow.wait_condition(lambda: workflow.all_handlers_finished() or bool(self._pending))
            if self._pending:
                await self._follow()
        if undo in self._failed:
            raise ApplicationError(f"the refund failed: {self._failed[undo]}", type=ErrorType.PERMANENT)
        while self._result is None or self._unread():
            self._result = await database_step(
                PaymentActivities.settlement, self._question(), "See where the payment stands"
            )
        return self._result

    async def _capture(self) -> PaymentSettled:
        self._situation.tell(f"Taking {self._command.amount}", waiting_for=self._command.provider)
        return await provider_step(
            PaymentActivities.capture_payment,
            self._ref,
            f"Capture {self._command.amount} at {self._command.provider}",
            queue=TaskQueue.PAYMENTS,
            give_up_after=timedelta(seconds=self._command.attention_after_seconds),
        )

    async def _give_back(self) -> str | None:
        """Voids what was not taken, else refunds and says by which refund; fails if the provider balks."""
        limit = timedelta(seconds=self._command.attention_after_seconds)
        while True:
            plan = await database_step(PaymentActivities.plan_undo, self._ref, "See what is to be given back")
            if plan.settled:
                return None
            if plan.refund_id is not None:
                await self._refund(plan.refund_id, limit)
                return plan.refund_id
            self._situation.tell(f"Voiding {self._command.amount}", waiting_for=self._command.provider)
            facts = await provider_step(
                PaymentActivities.void_payment,
                self._ref,
                f"Void {self._command.amount} at {self._command.provider}",
                queue=TaskQueue.PAYMENTS,
                give_up_after=limit,
            )
            if facts.status is not PaymentStatus.CAPTURED:
                return None

    async def _refund(self, refund_id: str, limit: timedelta = OUTAGE) -> RefundOutcome:
        """One look or try; what stays pending at the provider is followed up until it is decided."""
        event_ids = self._take_unread()
        self._situation.tell(f"Refund {refund_id}", waiting_for=self._command.provider)
        outcome = await provider_step(
            PaymentActivities.refund_payment,
            RefundPayment(refund_id, self._ref.payment_id, self._ref.order_id, self._ref.context, event_ids),
            f"Refund at {self._command.provider}",
            queue=TaskQueue.PAYMENTS,
            give_up_after=limit,
        )
        if outcome.status is RefundStatus.FAILED:
            self._failed[refund_id] = outcome.failure_code
        undecided = outcome.status in {RefundStatus.REQUESTED, RefundStatus.PENDING}
        if undecided and refund_id not in self._pending:
            self._pending.append(refund_id)
        elif not undecided and refund_id in self._pending:
            self._pending.remove(refund_id)
        return outcome

    async def _follow(self) -> None:
        """Looks at all pending refunds when the provider has news, or has had none for too long."""
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: bool(self._unread()),
                timeout=timedelta(seconds=self._command.refund_poll_seconds),
                timeout_summary="Ask about the refund",
            )
        async with self._turn:
            for refund_id in list(self._pending):
                await self._refund(refund_id)

    def _unread(self) -> list[str]:
        return [event_id for event_id in self._events if event_id not in self._read_events]

    def _take_unread(self) -> list[str]:
        event_ids = self._unread()
        self._read_events.update(event_ids)
        return event_ids

    def _question(self) -> ReadPayment:
        return ReadPayment(self._ref.payment_id, self._ref.order_id, self._ref.context, self._take_unread())

    @workflow.update(name=names.REFUND)
    async def refund(self, request: RefundRequested) -> RefundOutcome:
        """Carries a stored refund out; answers with its first outcome, pending or decided."""
        async with self._turn:
            return await self._refund(request.refund_id)

    @workflow.signal(name=names.EXTERNAL_EVENT)
    def external_event(self, event: ExternalEvent) -> None:
        """News of a refund waits in the inbox; its event id is taken once."""
        self._events.setdefault(event.event_id, event)
