"""What wraps every activity: stable names for errors, signs of life, and who is at work in each log line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from commerce.contracts.errors import ErrorType
from commerce.domain.errors import (
    CommerceError,
    Conflict,
    Fenced,
    NotFound,
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRefused,
)

log = structlog.get_logger(__name__)


class ActivityErrors(Interceptor):
    """Turns the shop's errors into `ApplicationError`s that retry policies and workflows can match."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _NamedErrors(next)


class _NamedErrors(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        with structlog.contextvars.bound_contextvars(
            activity=info.activity_type, workflow_id=info.workflow_id, attempt=info.attempt
        ):
            try:
                async with _signs_of_life(info):
                    return await super().execute_activity(input)
            except CommerceError as failure:
                named = name_error(failure)
                log.warning("step failed", type=named.type, error=str(failure))
                raise named from failure


@asynccontextmanager
async def _signs_of_life(info: activity.Info) -> AsyncIterator[None]:
    """Heartbeats for as long as the step runs, so that a killed worker's step starts anew in seconds.

    A step that ends within a third of its heartbeat timeout sends none, and costs nothing.
    """
    if info.heartbeat_timeout is None or info.is_local:
        yield
        return
    beating = asyncio.create_task(_beat(info.heartbeat_timeout.total_seconds() / 3))
    try:
        yield
    finally:
        beating.cancel()


async def _beat(every: float) -> None:
    while True:
        await asyncio.sleep(every)
        activity.heartbeat()


def name_error(failure: CommerceError) -> ApplicationError:
    """The failure as it crosses Temporal; a provider's Retry-After becomes the next attempt's delay."""
    match failure:
        case ProviderRefused():
            kind = ErrorType.PERMANENT
        case ProviderOutcomeUnknown():
            kind = ErrorType.OUTCOME_UNKNOWN
        case Fenced():
            kind = ErrorType.FENCED
        case NotFound():
            kind = ErrorType.NOT_FOUND
        case Conflict():
            kind = ErrorType.PERMANENT
        case _:
            kind = ErrorType.RETRYABLE
    delay = failure.retry_after if isinstance(failure, ProviderError) else None
    return ApplicationError(
        str(failure),
        type=kind.value,
        non_retryable=kind not in {ErrorType.RETRYABLE, ErrorType.OUTCOME_UNKNOWN},
        next_retry_delay=timedelta(seconds=delay) if delay is not None else None,
    )
