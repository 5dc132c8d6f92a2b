"""Asking a workflow for an answer, for as long as the caller can wait."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from commerce.domain.errors import Conflict, NotFound, ProviderUnavailable

T = TypeVar("T")


@dataclass(frozen=True)
class Ask(Generic[T]):
    """An update: its name and argument, the id by which a repeat attaches, and what kind of answer it has.

    `subject` is the kind and id that a NotFound names.
    """

    update: str
    args: tuple[object, ...]
    update_id: str
    wait_seconds: float
    answer: type[T]
    subject: tuple[str, str]


async def ask_with_start(
    client: Client, start: WithStartWorkflowOperation[Any, Any], ask: Ask[T]
) -> T | None:
    """None when there is no answer in time. Raises NotFound when the workflow has ended already."""

    async def call() -> T:
        handle = await client.start_update_with_start_workflow(
            ask.update,
            args=list(ask.args),
            start_workflow_operation=start,
            wait_for_stage=WorkflowUpdateStage.COMPLETED,
            id=ask.update_id,
            result_type=ask.answer,
        )
        result: T = await handle.result()
        return result

    try:
        return await _within(call(), ask)
    except WorkflowAlreadyStartedError as ended:
        raise NotFound(*ask.subject) from ended


async def ask_running(handle: WorkflowHandle[Any, Any], ask: Ask[T]) -> T | None:
    """None when there is no answer in time. Raises NotFound when no such workflow runs."""
    call: Awaitable[T] = handle.execute_update(
        ask.update, args=list(ask.args), id=ask.update_id, result_type=ask.answer
    )
    return await _within(call, ask)


async def reach(call: Awaitable[T], subject: tuple[str, str] = ("workflow", "")) -> T:
    """Raises NotFound for a workflow that is not there and ProviderUnavailable for a server that is not."""
    try:
        return await call
    except RPCError as failure:
        if failure.status is RPCStatusCode.NOT_FOUND:
            raise NotFound(*subject) from failure
        raise ProviderUnavailable(f"Temporal: {failure.message}") from failure
    except RuntimeError as failure:  # how the SDK's core says that a lazy client cannot connect
        raise ProviderUnavailable(f"Temporal: {failure}") from failure


async def _within(call: Awaitable[T], ask: Ask[T]) -> T | None:
    try:
        return await asyncio.wait_for(reach(call, ask.subject), ask.wait_seconds)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        return None
    except WorkflowUpdateFailedError as refused:
        raise Conflict(str(refused.cause)) from refused
