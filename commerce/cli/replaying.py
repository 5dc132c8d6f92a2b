"""Replays histories against this build: a change that a running order cannot follow is found here."""

import logging
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter, DefaultFailureConverter
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Replayer, WorkflowRunner
from temporalio.workflow import _Definition as WorkflowDefinition

import worker
from commerce.contracts.queues import TaskQueue
from commerce.runtime.codec import data_converter

_MESSAGE = re.compile(r'message: "((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Failed:
    """`difference` is the first thing that the code does otherwise than the history says."""

    workflow_id: str
    run_id: str
    workflow_type: str
    difference: str


@dataclass(frozen=True)
class Outcome:
    replayed: int
    failures: list[Failed]

    @property
    def ok(self) -> bool:
        return not self.failures


def plain_converter() -> DataConverter:
    """For recorded histories, which are open: the project's converter under a key that opens nothing."""
    return data_converter({"replay": os.urandom(32)})


async def replay(
    histories: AsyncIterator[WorkflowHistory],
    converter: DataConverter,
    *,
    workflows: Sequence[type] | None = None,
    runner: WorkflowRunner = worker.SANDBOX,
    replayed: Callable[[], None] = lambda: None,
) -> Outcome:
    """All of them, whatever fails; `workflows` are this build's unless a test brings its own."""
    known = workflows or every_workflow(worker.WORKFLOWS)
    strangers: list[Failed] = []
    replayer = Replayer(
        workflows=known,
        workflow_runner=runner,
        # Why a replay failed is for the reader, not for Temporal: it stays readable.
        data_converter=replace(converter, failure_converter_class=DefaultFailureConverter),
        runtime=Runtime(telemetry=TelemetryConfig(logging=None)),
    )
    count, failures = 0, []
    with _quiet_sdk():
        async with replayer.workflow_replay_iterator(_known(histories, known, strangers)) as results:
            async for result in results:
                count += 1
                replayed()
                if result.replay_failure is not None:
                    failures.append(_failed(result.history, _words(result.replay_failure)))
    return Outcome(count + len(strangers), strangers + failures)


async def one_by_one(histories: Sequence[WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    for history in histories:
        yield history


def every_workflow(served: Mapping[TaskQueue, Sequence[type]]) -> list[type]:
    return [workflow for workflows in served.values() for workflow in workflows]


async def _known(
    histories: AsyncIterator[WorkflowHistory], workflows: Sequence[type], strangers: list[Failed]
) -> AsyncIterator[WorkflowHistory]:
    """Those that this build can try at all; the others are added to `strangers`."""
    names = {WorkflowDefinition.must_from_class(workflow).name for workflow in workflows}
    async for history in histories:
        name = history.events[0].workflow_execution_started_event_attributes.workflow_type.name
        if name in names:
            yield history
        else:
            strangers.append(_failed(history, f"this build has no workflow {name}"))


def _failed(history: WorkflowHistory, difference: str) -> Failed:
    started = history.events[0].workflow_execution_started_event_attributes
    return Failed(
        workflow_id=history.workflow_id,
        run_id=started.original_execution_run_id,
        workflow_type=started.workflow_type.name,
        difference=difference,
    )


def _words(failure: BaseException) -> str:
    """One line; of the SDK core's dump of a failure only its message."""
    text = str(failure)
    message = _MESSAGE.search(text)
    if message is not None and "Workflow activation completion failed" in text:
        text = message[1].replace('\\"', '"').replace("\\n", " ")
    return " ".join(text.split())


@contextmanager
def _quiet_sdk() -> Iterator[None]:
    """What fails is in the outcome; the SDK would log it as well, with its traceback."""
    logger = logging.getLogger("temporalio.worker")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
