"""What Temporal knows of an order: whether its workflow runs, and its own words about it."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from commerce.cli.settings import CommandSettings
from commerce.cli.temporal import open_client
from commerce.contracts import names
from commerce.contracts.checkout import OrderSituation
from commerce.contracts.ids import order_workflow_id
from commerce.domain.errors import ProviderUnavailable

_PATIENCE = timedelta(seconds=5)


@dataclass(frozen=True)
class WorkflowState:
    """`note` says what could not be read, and why; `state` is Temporal's word, such as RUNNING."""

    workflow_id: str
    url: str
    state: str | None = None
    situation: OrderSituation | None = None
    note: str | None = None

    @property
    def ended_badly(self) -> bool:
        return self.state in {"FAILED", "CANCELED", "TERMINATED", "TIMED_OUT"}


def ui_link(settings: CommandSettings, workflow_id: str, run_id: str | None = None) -> str:
    """The workflow's page in the Temporal UI."""
    base = f"{settings.temporal_ui_url.rstrip('/')}/namespaces/{settings.temporal_namespace}"
    page = f"{base}/workflows/{quote(workflow_id, safe='')}"
    return f"{page}/{run_id}" if run_id else page


async def read_state(settings: CommandSettings, order_id: str) -> WorkflowState:
    """Never fails: an order can be looked at while Temporal or the workers are down."""
    workflow_id = order_workflow_id(order_id)
    page = ui_link(settings, workflow_id)
    try:
        client = await open_client(settings)
    except ProviderUnavailable as outage:
        return WorkflowState(workflow_id, page, note=str(outage).splitlines()[0])
    return await _look(client, settings, workflow_id)


async def _look(client: Client, settings: CommandSettings, workflow_id: str) -> WorkflowState:
    handle: WorkflowHandle[object, object] = client.get_workflow_handle(workflow_id)
    try:
        found = await handle.describe(rpc_timeout=_PATIENCE)
    except RPCError as failure:
        page = ui_link(settings, workflow_id)
        if failure.status is RPCStatusCode.NOT_FOUND:
            return WorkflowState(workflow_id, page, note="Temporal has no such workflow (any more)")
        return WorkflowState(workflow_id, page, note=f"Temporal: {failure.message}")
    page = ui_link(settings, workflow_id, found.run_id)
    state = found.status.name if found.status else None
    why = await _why_failed(handle) if found.status is WorkflowExecutionStatus.FAILED else None
    try:
        situation: OrderSituation = await handle.query(
            names.STATUS, result_type=OrderSituation, rpc_timeout=_PATIENCE
        )
    except WorkflowQueryFailedError as failure:
        return WorkflowState(workflow_id, page, state, note=f"the workflow does not say: {failure.message}")
    except RPCError:
        return WorkflowState(workflow_id, page, state, note="no worker answers for it right now")
    return WorkflowState(workflow_id, page, state, situation, why)


async def _why_failed(handle: WorkflowHandle[object, object]) -> str | None:
    """The innermost cause: what the step said that could not be done."""
    try:
        await handle.result(follow_runs=False, rpc_timeout=_PATIENCE)
    except WorkflowFailureError as failure:
        cause: BaseException = failure
        while cause.__cause__ is not None:
            cause = cause.__cause__
        return f"it failed: {cause}"
    except RPCError:
        return None
    return None
