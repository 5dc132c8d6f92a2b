"""A payment after its authorisation: the one writer of captures, voids and refunds.

A run lives while there is something to do and ends; the next task starts the next run under the same id
(docs/adr/0003). What must be known between runs stands in PostgreSQL.
"""

import asyncio
import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from activities.payments import PaymentActivities
    from commerce.contracts import names
    from commerce.contracts.checkout import ExternalEvent, FlagAttention
    from commerce.contracts.errors import ErrorType
    from commerce.contracts.payments import (
        PaymentInput,
        PaymentRef,
        PaymentSettled,
        PaymentTask,
        RefundOutcome,
        RefundPayment,
        RefundRequested,
    )
    from commerce.contracts.queues import TaskQueue
    from commerce.contracts.statuses import PaymentStatus, RefundStatus

from workflows.attributes import show_attention
from workflows.compensation import FIRST_RETRY, SLOWEST_RETRY
from workflows.options import OUTAGE, database_step, provider_step, words_of
from workflows.situation import Situation


@workflow.defn(name=names.PAYMENT_WORKFLOW)
class PaymentWorkflow:
    @workflow.init
    def __init__(self, command: PaymentInput) -> None:
        self._command = command
        self._ref = PaymentRef(command.payment_id, command.order_id, command.context)
        self._turn = asyncio.Lock()
        self._events: dict[str, ExternalEvent] = {}
        self._read_events: set[str] = set()
        self._pending: list[str] = []
        self._result: PaymentSettled | None = None
        self._situation = Situation(f"Payment of {command.amount} for order {command.number}")

    @workflow.run
    async def run(self, command: PaymentInput) -> PaymentSettled:
        if command.task is PaymentTask.CAPTURE:
            async with self._turn:
                self._result = await self._capture()
        elif command.task is PaymentTask.UNDO:
            async with self._turn:
                await self._give_back()
        while not workflow.all_handlers_finished() or self._pending:
            await workflow.wait_condition(lambda: workflow.all_handlers_finished() or bool(self._pending))
            if self._pending:
                await self._follow(self._pending[0])
        if self._result is None:
            self._result = await database_step(
                PaymentActivities.settlement, self._ref, "See where the payment stands"
            )
        return self._result

    async def _capture(self) -> PaymentSettled:
        """Tries until it works: the goods wait, the order is never lost; support sees it after a while."""
        delay, flagged = FIRST_RETRY, False
        while True:
            self._situation.tell(f"Taking {self._command.amount}", waiting_for=self._command.provider)
            try:
                settled = await self._step_capture()
            except ActivityError as failure:
                if is_cancelled_exception(failure):
                    raise
                await self._flag(f"capture: {words_of(failure)}")
                flagged = True
            else:
                break
            await workflow.sleep(delay, summary="Next try to take the money")
            delay = min(delay * 4, SLOWEST_RETRY)
        if flagged:
            await self._flag(None)
        return settled

    async def _step_capture(self) -> PaymentSettled:
        return await provider_step(
            PaymentActivities.capture_payment,
            self._ref,
            f"Capture {self._command.amount} at {self._command.provider}",
            queue=TaskQueue.PAYMENTS,
            give_up_after=timedelta(seconds=self._command.attention_after_seconds),
        )

    async def _give_back(self) -> None:
        """Voids what was not taken, refunds what was; fails for its parent to park if the provider balks."""
        limit = timedelta(seconds=self._command.attention_after_seconds)
        while True:
            plan = await database_step(PaymentActivities.plan_undo, self._ref, "See what is to be given back")
            if plan.refund_id is not None:
                outcome = await self._refund(plan.refund_id, limit)
                if outcome.status is RefundStatus.FAILED:
                    raise ApplicationError(
                        f"the refund failed: {outcome.failure_code}", type=ErrorType.PERMANENT
                    )
                return
            self._situation.tell(f"Voiding {self._command.amount}", waiting_for=self._command.provider)
            facts = await provider_step(
                PaymentActivities.void_payment,
                self._ref,
                f"Void {self._command.amount} at {self._command.provider}",
                queue=TaskQueue.PAYMENTS,
                give_up_after=limit,
            )
            if facts.status is not PaymentStatus.CAPTURED:
                return

    async def _refund(self, refund_id: str, limit: timedelta = OUTAGE) -> RefundOutcome:
        """One look or try; what stays pending at the provider is followed up until it is decided."""
        event_ids = [event_id for event_id in self._events if event_id not in self._read_events]
        self._read_events.update(event_ids)
        self._situation.tell(f"Refund {refund_id}", waiting_for=self._command.provider)
        outcome = await provider_step(
            PaymentActivities.refund_payment,
            RefundPayment(refund_id, self._ref.payment_id, self._ref.order_id, self._ref.context, event_ids),
            f"Refund at {self._command.provider}",
            queue=TaskQueue.PAYMENTS,
            give_up_after=limit,
        )
        undecided = outcome.status in {RefundStatus.REQUESTED, RefundStatus.PENDING}
        if undecided and refund_id not in self._pending:
            self._pending.append(refund_id)
        elif not undecided and refund_id in self._pending:
            self._pending.remove(refund_id)
        return outcome

    async def _follow(self, refund_id: str) -> None:
        """Looks again when the provider has news, or has had none for too long."""
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: any(event_id not in self._read_events for event_id in self._events),
                timeout=timedelta(seconds=self._command.refund_poll_seconds),
                timeout_summary="Ask about the refund",
            )
        async with self._turn:
            await self._refund(refund_id)

    async def _flag(self, reason: str | None) -> None:
        show_attention(reason is not None)
        if reason is not None:
            self._situation.tell(f"Needs attention: {reason}", then="It is tried again by itself.")
        await workflow.execute_activity_method(
            OrderActivities.flag_attention,
            FlagAttention(self._ref.order_id, reason, self._ref.context),
            task_queue=TaskQueue.CHECKOUT,
            start_to_close_timeout=timedelta(seconds=10),
            schedule_to_close_timeout=OUTAGE,
            summary="Tell support",
        )

    @workflow.update(name=names.REFUND)
    async def refund(self, request: RefundRequested) -> RefundOutcome:
        """Carries a stored refund out; answers with its first outcome, pending or decided."""
        async with self._turn:
            return await self._refund(request.refund_id)

    @workflow.signal(name=names.EXTERNAL_EVENT)
    def external_event(self, event: ExternalEvent) -> None:
        """News of a refund waits in the inbox; its event id is taken once."""
        self._events.setdefault(event.event_id, event)
