"""What Temporal keeps of a workflow, and whether today's code still replays it."""

from collections.abc import AsyncIterator
from typing import Any

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowHandle, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

import worker


async def timers(handle: WorkflowHandle[Any, Any]) -> list[float]:
    """Seconds of each timer that the workflow has set, in their order."""
    history = await handle.fetch_history()
    started = [event.timer_started_event_attributes.start_to_fire_timeout for event in history.events]
    return [each.ToTimedelta().total_seconds() for each in started if each.ToTimedelta()]


async def described(handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionDescription | None:
    """None for a workflow that was not started yet."""
    try:
        return await handle.describe()
    except RPCError as missing:
        if missing.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def pending(handle: WorkflowHandle[Any, Any]) -> dict[str, int]:
    """The attempts of each activity that is at work or waits for its next try."""
    found = await described(handle)
    if found is None:
        return {}
    return {each.activity_type.name: each.attempt for each in found.raw_description.pending_activities}


async def stop_all(client: Client) -> None:
    """Terminates what still runs; the list is a moment behind."""
    async for execution in client.list_workflows("ExecutionStatus = 'Running'"):
        try:
            await client.get_workflow_handle(execution.id, run_id=execution.run_id).terminate("test is over")
        except RPCError as ended:
            if ended.status is not RPCStatusCode.NOT_FOUND:
                raise


async def replay_new(client: Client, known: set[str]) -> list[str]:
    """Replays the runs that are not `known` yet and adds them; answers what failed, by workflow id."""
    replayer = Replayer(
        workflows=[workflow for served in worker.WORKFLOWS.values() for workflow in served],
        workflow_runner=worker.SANDBOX,
        data_converter=client.data_converter,
    )
    failures = []
    async with replayer.workflow_replay_iterator(_histories(client, known)) as results:
        async for result in results:
            if result.replay_failure is not None:
                failures.append(f"{result.history.workflow_id}: {result.replay_failure}")
    return failures


async def _histories(client: Client, known: set[str]) -> AsyncIterator[WorkflowHistory]:
    async for execution in client.list_workflows():
        if execution.run_id in known:
            continue
        known.add(execution.run_id)
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        history = await handle.fetch_history()
        if len(history.events) > 2:
            yield history
