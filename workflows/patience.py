"""Forward steps that must not be given up: tried at growing intervals, in sight of support meanwhile."""

import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from commerce.contracts.checkout import FlagAttention
    from commerce.contracts.context import RequestContext
    from commerce.contracts.queues import TaskQueue

from workflows.attributes import show_attention
from workflows.options import OUTAGE, STEP_FAILURES, words_of
from workflows.situation import Situation

T = TypeVar("T")

FIRST_RETRY = timedelta(minutes=1)
SLOWEST_RETRY = timedelta(hours=1)


class Patience:
    """Shows an order's stuck step to support, and takes it off the list when it works again."""

    def __init__(self, order_id: str, context: RequestContext, situation: Situation) -> None:
        self._order_id = order_id
        self._context = context
        self._situation = situation
        self._hurried = False

    def hurry(self) -> None:
        """Something may have changed: the next try comes at once."""
        self._hurried = True

    async def until_done(self, what: str, step: Callable[[], Awaitable[T]]) -> T:
        """The step's result, however long it takes: what ends the trying is read by the step itself."""
        delay, flagged = FIRST_RETRY, False
        while True:
            try:
                result = await step()
            except STEP_FAILURES as failure:
                await self.flag(f"{what}: {words_of(failure)}")
                flagged = True
            else:
                break
            await self._pause(delay, f"Next try to {what}")
            delay = min(delay * 4, SLOWEST_RETRY)
        if flagged:
            await self.flag(None)
        return result

    async def _pause(self, delay: timedelta, summary: str) -> None:
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._hurried, timeout=delay, timeout_summary=summary)
        self._hurried = False

    async def flag(self, reason: str | None) -> None:
        show_attention(reason is not None)
        if reason is not None:
            self._situation.tell(f"Needs attention: {reason}", then="It is tried again by itself.")
        await workflow.execute_activity_method(
            OrderActivities.flag_attention,
            FlagAttention(self._order_id, reason, self._context),
            task_queue=TaskQueue.CHECKOUT,
            start_to_close_timeout=timedelta(seconds=10),
            schedule_to_close_timeout=OUTAGE,
            summary="Tell support" if reason else "Nothing is stuck any more",
        )
