"""Undoing: registered before the step it undoes, run last-in-first-out, shielded, never given up.

An undo that keeps failing is parked where support sees it; the others go on past it. It is tried again by
itself at growing intervals until it works or support decides otherwise.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ChildWorkflowError

with workflow.unsafe.imports_passed_through():
    from commerce.contracts.checkout import ParkedCompensation, Resolution

from workflows.options import STEP_FAILURES, words_of
from workflows.patience import FIRST_RETRY, SLOWEST_RETRY

T = TypeVar("T")
Undo = Callable[[], Awaitable[None]]


@dataclass
class _Parked:
    step: str
    undo: Undo
    error: str
    since: str
    resolution: Resolution | None = None


class Compensations:
    """The undo stack of one saga. `on_parked` hears each change of the list of parked steps."""

    def __init__(self, on_parked: Callable[[list[ParkedCompensation]], Awaitable[None]]) -> None:
        self._on_parked = on_parked
        self._stack: list[tuple[str, Undo]] = []
        self._parked: dict[str, _Parked] = {}
        self._running = False
        self.finished_first_pass = False

    def add(self, step: str, undo: Undo) -> None:
        """Call it before the step; `undo` must be idempotent and succeed where there is nothing to undo."""
        self._stack.append((step, undo))

    def clear(self) -> None:
        """What was registered needs no undo of its own any more."""
        self._stack.clear()

    @property
    def parked(self) -> list[ParkedCompensation]:
        return [ParkedCompensation(item.step, item.error, item.since) for item in self._parked.values()]

    async def run(self) -> None:
        """Undoes all that is registered, once; returns when nothing is left, parked steps included."""
        if self._running:
            await workflow.wait_condition(lambda: not self._running)
            return
        self._running = True
        try:
            while self._stack:
                step, undo = self._stack.pop()
                error = await _failure_of(undo)
                if error is not None:
                    since = workflow.now().isoformat(timespec="seconds")
                    self._parked[step] = _Parked(step, undo, error, since)
            self.finished_first_pass = True
            if self._parked:
                await self._on_parked(self.parked)
                await asyncio.gather(*(self._retry(item) for item in list(self._parked.values())))
        finally:
            self._running = False

    def resolve(self, step: str, resolution: Resolution) -> bool:
        """Support's word on a parked step; False when no such step is parked."""
        item = self._parked.get(step)
        if item is None:
            return False
        item.resolution = resolution
        return True

    async def _retry(self, item: _Parked) -> None:
        delay = FIRST_RETRY
        while item.resolution not in {Resolution.MARK_DONE, Resolution.WRITE_OFF}:
            try:
                await workflow.wait_condition(
                    lambda: item.resolution is not None,
                    timeout=delay,
                    timeout_summary=f"Next try to {item.step}",
                )
            except TimeoutError:
                delay = min(delay * 4, SLOWEST_RETRY)
            if item.resolution in {Resolution.MARK_DONE, Resolution.WRITE_OFF}:
                break
            item.resolution = None
            error = await _failure_of(item.undo)
            if error is None:
                break
            item.error = error
        del self._parked[item.step]
        await self._on_parked(self.parked)


async def _failure_of(undo: Undo) -> str | None:
    try:
        await undo()
    except (*STEP_FAILURES, ChildWorkflowError) as failure:
        return words_of(failure)
    return None


async def shielded(work: Coroutine[Any, Any, T], hear: Callable[[], None] | None = None) -> T:
    """Runs to its end whatever cancellation arrives meanwhile; `hear` is told of each."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
            if hear is not None:
                hear()
    return task.result()
