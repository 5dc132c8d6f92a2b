"""What delivered orders cost at Temporal: events and billed actions of all their workflows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus, WorkflowHistory

from api.schemas.orders import OrderView
from commerce.cli.actions import Usage, usage_of
from commerce.cli.families import histories, listed, messages_since
from commerce.contracts.ids import order_workflow_id, payment_workflow_id, shipment_workflow_id
from devstack.demo.report import Cost
from devstack.demo.steps import Advance

_LOOKS = 20


@dataclass(frozen=True)
class OrderCost:
    until_delivered: Usage
    in_all: Usage


async def messages_at_rest(client: Client, since: datetime) -> dict[str, list[WorkflowExecution]]:
    """By order, once no message is still being sent; after some looks as they are."""
    messages = await messages_since(client, since)
    for _ in range(_LOOKS):
        sending = any(
            message.status is WorkflowExecutionStatus.RUNNING
            for about in messages.values()
            for message in about
        )
        if not sending:
            break
        await asyncio.sleep(0.5)
        messages = await messages_since(client, since)
    return messages


async def costs_of(
    client: Client, orders: Sequence[OrderView], since: datetime, each: Advance
) -> list[OrderCost]:
    messages = await messages_at_rest(client, since)
    costs = []
    for order in orders:
        costs.append(await _cost_of(client, order, messages.get(order.id, [])))
        each()
    return costs


def summary(usages: Sequence[Usage]) -> Cost:
    """Means to a tenth."""
    count = max(len(usages), 1)
    return Cost(
        orders=len(usages),
        mean_events=round(sum(usage.events for usage in usages) / count, 1),
        most_events=max((usage.events for usage in usages), default=0),
        mean_actions=round(sum(usage.actions for usage in usages) / count, 1),
        most_actions=max((usage.actions for usage in usages), default=0),
    )


async def _cost_of(client: Client, order: OrderView, messages: list[WorkflowExecution]) -> OrderCost:
    """The delivery is told when the last parcel's workflow has ended: up to then counts as its way there."""
    parcels = [shipment_workflow_id(shipment.id) for shipment in order.shipments]
    ids = [order_workflow_id(order.id), *(payment_workflow_id(payment.id) for payment in order.payments)]
    quoted = ", ".join(f"'{workflow_id}'" for workflow_id in [*ids, *parcels])
    family = [*await listed(client, f"WorkflowId IN ({quoted})"), *messages]
    ended = [run.close_time for run in family if run.id in parcels and run.close_time]
    runs: list[WorkflowHistory] = [history async for history in histories(client, family)]
    delivered = max(ended, default=None)
    return OrderCost(
        sum((usage_of(run.events, delivered) for run in runs), Usage()),
        sum((usage_of(run.events) for run in runs), Usage()),
    )
