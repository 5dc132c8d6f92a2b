"""How steps are run: time-outs and the one retry layer, chosen by what a step talks to.

HTTP timeout < start-to-close < schedule-to-close. The last is longer than any outage that we mean to sit
out: an outage costs time, never an order.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    TimeoutError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from commerce.contracts.errors import NON_RETRYABLE, ErrorType
    from commerce.contracts.queues import TaskQueue

Arg = TypeVar("Arg")
Result = TypeVar("Result")
Step = Callable[[Any, Arg], Coroutine[Any, Any, Result]]

OUTAGE = timedelta(days=7)
PROVIDER_KEY_LIFE = timedelta(hours=23)
"""Stripe keeps an idempotency key for at least a day: a step that relies on one gives up before that."""

LIFE_SIGN = timedelta(seconds=6)
"""A step whose worker has been silent for this long is started anew elsewhere."""

STEP_FAILURES = (ActivityError, ApplicationError)
"""What a failed step raises: a local activity's failure comes bare, without an ActivityError around it."""

_NAMES = [error.value for error in NON_RETRYABLE]
_QUICK = RetryPolicy(
    initial_interval=timedelta(milliseconds=100),
    maximum_interval=timedelta(seconds=1),
    non_retryable_error_types=_NAMES,
)
_PATIENT = RetryPolicy(
    initial_interval=timedelta(milliseconds=500),
    maximum_interval=timedelta(seconds=60),
    non_retryable_error_types=_NAMES,
)


async def database_step(step: Step[Arg, Result], arg: Arg, summary: str) -> Result:
    """A short idempotent transaction: at first inside the workflow's own task, if that fails as an activity.

    A local activity that goes on failing would keep the workflow task alive by heartbeats, at three
    events each; after five seconds the same step waits as an ordinary activity.
    """
    try:
        return await uncut(
            workflow.execute_local_activity_method(
                step,
                arg,
                start_to_close_timeout=timedelta(seconds=4),
                schedule_to_close_timeout=timedelta(seconds=5),
                retry_policy=_QUICK,
                summary=summary,
            )
        )
    except FailureError as failure:
        if is_cancelled_exception(failure) or declared(failure) is not None:
            raise
    return await workflow.execute_activity_method(
        step,
        arg,
        start_to_close_timeout=timedelta(seconds=10),
        schedule_to_close_timeout=OUTAGE,
        retry_policy=_PATIENT,
        summary=summary,
    )


async def uncut(local_activity: Coroutine[Any, Any, Result]) -> Result:
    """A local activity to its end; a cancellation meanwhile is raised after it.

    The SDK's core (1.35) loses the outcome of a local activity that is cancelled just as it starts: the
    workflow task then hangs, and the order with it.
    """
    task = asyncio.ensure_future(local_activity)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await workflow.wait([task])
        except asyncio.CancelledError as request:
            cancelled = request
    if cancelled is not None:
        raise cancelled
    return task.result()


async def provider_step(
    step: Step[Arg, Result],
    arg: Arg,
    summary: str,
    *,
    queue: TaskQueue,
    give_up_after: timedelta = OUTAGE,
) -> Result:
    """A call to the outside: an activity of its own, retried at growing intervals."""
    return await workflow.execute_activity_method(
        step,
        arg,
        task_queue=queue,
        start_to_close_timeout=timedelta(seconds=30),
        schedule_to_close_timeout=give_up_after,
        heartbeat_timeout=LIFE_SIGN,
        retry_policy=_PATIENT,
        summary=summary,
    )


def declared(failure: BaseException) -> ErrorType | None:
    """The stable name of a failure that no retry can mend, or None."""
    cause = failure.__cause__ if isinstance(failure, ActivityError) else failure
    if isinstance(cause, ApplicationError) and cause.type in _NAMES:
        return ErrorType(cause.type)
    return None


def words_of(failure: BaseException) -> str:
    """One line for people about why a step failed."""
    cause = failure
    while isinstance(cause, (ActivityError, TimeoutError)) and cause.__cause__:
        cause = cause.__cause__
    words = cause.message if isinstance(cause, FailureError) else str(cause)
    return words or type(cause).__name__
