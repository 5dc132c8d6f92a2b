"""The Temporal client as every process of the shop has it, and the checks before anything relies on it."""

from collections.abc import Sequence
from datetime import timedelta

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import (
    Client,
    Interceptor,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError

from commerce.contracts import names
from commerce.contracts.maintenance import SweepInput
from commerce.contracts.queues import TaskQueue
from commerce.contracts.search import SEARCH_ATTRIBUTES
from commerce.domain.errors import ProviderUnavailable
from commerce.runtime.codec import data_converter
from commerce.runtime.settings import CommonSettings, parse_codec_keys


class NotReady(RuntimeError):
    """Something that this process needs is missing; the text names each."""


async def connect(
    settings: CommonSettings,
    *,
    interceptors: Sequence[Interceptor] = (),
    metrics_address: str | None = None,
    lazy: bool = False,
) -> Client:
    """A client with the pydantic converter and the encrypting codec. Raises ProviderUnavailable."""
    runtime = None
    if metrics_address is not None:
        runtime = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=metrics_address)))
    try:
        return await Client.connect(
            settings.temporal_address,
            namespace=settings.temporal_namespace,
            data_converter=data_converter(parse_codec_keys(settings.codec_keys.get_secret_value())),
            interceptors=list(interceptors),
            runtime=runtime,
            lazy=lazy,
        )
    except RuntimeError as failure:
        raise ProviderUnavailable(f"Temporal at {settings.temporal_address}: {failure}") from failure


async def check_search_attributes(client: Client) -> None:
    """Raises NotReady naming each search attribute that the namespace lacks or has with another type."""
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as failure:
        raise ProviderUnavailable(f"Temporal: {failure.message}") from failure
    missing = []
    for name, kind in SEARCH_ATTRIBUTES.items():
        wanted = IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{kind.upper()}")
        if known.custom_attributes.get(name) != wanted:
            missing.append(f"{name} ({kind})")
    if missing:
        raise NotReady(f"namespace {client.namespace} lacks search attributes: {', '.join(missing)}")


async def ensure_sweep_schedule(client: Client, every: timedelta, command: SweepInput) -> None:
    """Creates the sweep's schedule, or brings it up to these settings."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            names.SWEEP_WORKFLOW,
            command,
            id="sweep",
            task_queue=TaskQueue.MAINTENANCE,
            static_summary="Start, ask and close what was left behind",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=1)),
    )
    try:
        await client.create_schedule(names.SWEEP_SCHEDULE, schedule)
    except ScheduleAlreadyRunningError:

        def replace(_: ScheduleUpdateInput) -> ScheduleUpdate:
            return ScheduleUpdate(schedule=schedule)

        await client.get_schedule_handle(names.SWEEP_SCHEDULE).update(replace)
