"""A cart's hold before its checkout: held for minutes, extended once, released, taken over or run out."""

import asyncio
import functools
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.stock import StockActivities
    from commerce.contracts import names
    from commerce.contracts.context import RequestContext
    from commerce.contracts.statuses import ReservationStatus
    from commerce.contracts.stock import (
        ExtendReservation,
        ExtendReservationHold,
        HoldReservation,
        ReservationAnswer,
        ReservationInput,
        ReservationRef,
    )

from workflows.compensation import shielded
from workflows.options import STEP_FAILURES, database_step
from workflows.situation import Situation

GRACE = timedelta(milliseconds=500)
"""Between the hold's end by the database's clock and the look at it that follows our timer."""


@workflow.defn(name=names.STOCK_RESERVATION_WORKFLOW)
class StockReservationWorkflow:
    @workflow.init
    def __init__(self, command: ReservationInput) -> None:
        self._command = command
        self._ref = ReservationRef(command.reservation_id, command.context)
        self._answer: ReservationAnswer | None = None
        self._turn = asyncio.Lock()
        self._situation = Situation(f"Hold {command.reservation_id}")

    @workflow.run
    async def run(self, command: ReservationInput) -> ReservationAnswer:
        try:
            answer = await self._hold()
            await self._until_over()
        except (asyncio.CancelledError, *STEP_FAILURES) as failure:
            if not is_cancelled_exception(failure):
                raise
            answer = await shielded(self._release(command.context.as_system()))
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._answer or answer

    async def _hold(self) -> ReservationAnswer:
        answer = await database_step(
            StockActivities.hold_reservation,
            HoldReservation(self._command.reservation_id, self._command.minutes * 60, self._command.context),
            "Hold the cart's stock",
        )
        self._take(answer)
        return answer

    async def _until_over(self) -> None:
        while self._answer is not None and self._answer.status is ReservationStatus.HELD:
            answer = self._answer
            left = timedelta(seconds=answer.seconds_left) + GRACE
            end = workflow.now() + left
            self._situation.tell(
                "Holding the cart's stock", waiting_for=f"a checkout, until {end:%H:%M:%S} UTC"
            )
            try:
                await workflow.wait_condition(
                    functools.partial(self._changed_since, answer),
                    timeout=left,
                    timeout_summary=f"Hold runs out at {end:%H:%M:%S} UTC",
                )
            except TimeoutError:
                async with self._turn:
                    self._take(
                        await database_step(
                            StockActivities.expire_reservation, self._ref, "Close the hold that ran out"
                        )
                    )

    def _changed_since(self, answer: ReservationAnswer) -> bool:
        return self._answer is not answer

    async def _release(self, context: RequestContext) -> ReservationAnswer:
        async with self._turn:
            answer = await database_step(
                StockActivities.release_reservation,
                ReservationRef(self._command.reservation_id, context),
                "Release the hold",
            )
            self._take(answer)
        return answer

    def _take(self, answer: ReservationAnswer) -> None:
        self._answer = answer
        self._situation.tell(f"The hold is {answer.status.value}")

    @workflow.update(name=names.RESERVE)
    async def reserve(self) -> ReservationAnswer:
        """The first answer: held until when, or what is missing."""
        await workflow.wait_condition(lambda: self._answer is not None)
        if self._answer is None:
            raise RuntimeError("woken without an answer")
        return self._answer

    @workflow.update(name=names.EXTEND_RESERVATION)
    async def extend(self, request: ExtendReservation) -> ReservationAnswer:
        """Once; a refusal says why and leaves the hold as it is."""
        async with self._turn:
            answer = await database_step(
                StockActivities.extend_reservation,
                ExtendReservationHold(self._command.reservation_id, request.minutes * 60, request.context),
                "Extend the hold once",
            )
            if answer.refusal is None:
                self._take(answer)
        return answer

    @workflow.update(name=names.RELEASE_RESERVATION)
    async def release(self, context: RequestContext) -> ReservationAnswer:
        """Gives the hold back; one that a checkout took over stays with its order."""
        return await self._release(context)
