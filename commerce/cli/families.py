"""An order's workflows: its own, its payment's runs, its parcels and the messages about it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecution, WorkflowHistory
from temporalio.service import RPCError

from commerce.contracts import names
from commerce.contracts.ids import order_workflow_id, payment_workflow_id, shipment_workflow_id
from commerce.contracts.notifications import NotificationInput
from commerce.domain.errors import ProviderUnavailable
from commerce.domain.orders import OrderView

_AT_ONCE = 8
_BEFORE = timedelta(seconds=5)


async def listed(client: Client, query: str, limit: int | None = None) -> list[WorkflowExecution]:
    """Newest first. Raises ProviderUnavailable, also with Temporal's words about a query that is none."""
    try:
        return [found async for found in client.list_workflows(query, limit=limit)]
    except RPCError as failure:
        raise ProviderUnavailable(f"Temporal: {failure.message}") from failure


async def histories(
    client: Client,
    executions: Sequence[WorkflowExecution],
    fetched: Callable[[], None] = lambda: None,
) -> AsyncIterator[WorkflowHistory]:
    """In the given order, some at once; `fetched` is called for each."""
    for start in range(0, len(executions), _AT_ONCE):
        batch = executions[start : start + _AT_ONCE]
        for history in await asyncio.gather(*(_history(client, execution) for execution in batch)):
            fetched()
            yield history


async def family_of(client: Client, order: OrderView) -> list[WorkflowExecution]:
    """The order's workflow first, then by start; messages are found by what they were started with."""
    ids = [order_workflow_id(order.order.id)]
    ids += [payment_workflow_id(payment.id) for payment in order.payments]
    ids += [shipment_workflow_id(shipment.id) for shipment in order.shipments]
    quoted = ", ".join(f"'{workflow_id}'" for workflow_id in ids)
    relatives = await listed(client, f"WorkflowId IN ({quoted})")
    messages = await messages_since(client, order.order.created_at)
    found = relatives + messages.get(order.order.id, [])
    return sorted(found, key=lambda execution: (execution.id != ids[0], execution.start_time))


async def messages_since(client: Client, since: datetime) -> dict[str, list[WorkflowExecution]]:
    """Messages started since then, by the order that each is about."""
    first = (since - _BEFORE).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    query = f"WorkflowType = '{names.NOTIFICATION_WORKFLOW}' AND StartTime >= '{first}'"
    by_order: dict[str, list[WorkflowExecution]] = {}
    executions = await listed(client, query)
    subjects = await asyncio.gather(*(_order_of(client, execution) for execution in executions))
    for execution, order_id in zip(executions, subjects, strict=True):
        by_order.setdefault(order_id, []).append(execution)
    return by_order


async def _order_of(client: Client, message: WorkflowExecution) -> str:
    started = (await _history(client, message)).events[0].workflow_execution_started_event_attributes
    [command] = await client.data_converter.decode(started.input.payloads, [NotificationInput])
    order_id: str = command.order_id
    return order_id


async def _history(client: Client, execution: WorkflowExecution) -> WorkflowHistory:
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    try:
        return await handle.fetch_history()
    except RPCError as failure:
        raise ProviderUnavailable(f"Temporal: {failure.message}") from failure
