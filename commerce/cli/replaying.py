"""Replays histories against this build: a change that a running order cannot follow is found here."""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.worker import Replayer, WorkflowRunner

import worker
from commerce.contracts.queues import TaskQueue
from commerce.runtime.codec import data_converter


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
    replayer = Replayer(
        workflows=workflows or every_workflow(worker.WORKFLOWS),
        workflow_runner=runner,
        data_converter=converter,
    )
    count, failures = 0, []
    async with replayer.workflow_replay_iterator(histories) as results:
        async for result in results:
            count += 1
            replayed()
            if result.replay_failure is not None:
                failures.append(_failed(result.history, result.replay_failure))
    return Outcome(count, failures)


async def one_by_one(histories: Sequence[WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    for history in histories:
        yield history


def every_workflow(served: Mapping[TaskQueue, Sequence[type]]) -> list[type]:
    return [workflow for workflows in served.values() for workflow in workflows]


def _failed(history: WorkflowHistory, failure: BaseException) -> Failed:
    started = history.events[0].workflow_execution_started_event_attributes
    return Failed(
        workflow_id=history.workflow_id,
        run_id=started.original_execution_run_id,
        workflow_type=started.workflow_type.name,
        difference=" ".join(str(failure).split()),
    )
