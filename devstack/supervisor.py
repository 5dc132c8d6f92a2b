"""Starts parts, starts them again when they die, stops them in reverse order."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from devstack.leftovers import Identity, Record
from devstack.parts import ORDER, Part
from devstack.processes import STOP_GRACE, Child
from devstack.screen import Screen

_LOOK_EVERY = 0.2
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 30.0
_HEALTHY_AFTER = 60.0
"""Seconds after which a part's earlier deaths are forgotten."""

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a daemon thread of its own, which never holds up the end of the process."""
    future: Future[T] = Future()

    def run() -> None:
        future.set_running_or_notify_cancel()
        try:
            future.set_result(work())
        except BaseException as error:  # handed to whoever awaits
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(future)


@dataclass
class _Running:
    part: Part
    child: Child
    deaths: int = 0


class Supervisor:
    """All of it runs on one event loop in the main thread, where children must be started."""

    def __init__(self, record: Record, screen: Screen) -> None:
        self._record = record
        self._screen = screen
        self._running: dict[str, _Running] = {}
        self._restarts: dict[str, asyncio.Task[None]] = {}
        self._after_restart: dict[str, Callable[[], object]] = {}

    async def start(self, part: Part) -> None:
        """Start a part and wait until it is ready. Raises StackError."""
        began = time.monotonic()
        entry = _Running(part, self._spawn(part))
        self._running[part.name] = entry
        await in_thread(lambda: part.wait_ready(entry.child))
        self._screen.step(part.name, time.monotonic() - began, part.where)

    def on_restart(self, name: str, work: Callable[[], object]) -> None:
        """What has to be done again whenever this part was started again."""
        self._after_restart[name] = work

    async def restart(self, name: str) -> None:
        """Stop a part in peace and start it again, for parts that save their state when they stop."""
        entry = self._running[name]
        await in_thread(entry.child.stop)
        entry.child = self._spawn(entry.part)
        await in_thread(lambda: entry.part.wait_ready(entry.child))

    async def watch(self) -> None:
        """Never returns; a part that ends is started again after a growing delay."""
        while True:
            for name, entry in self._running.items():
                if name not in self._restarts and not entry.child.alive:
                    self._restarts[name] = asyncio.create_task(self._revive(entry))
            for name in [name for name, task in self._restarts.items() if task.done()]:
                self._restarts.pop(name).result()
            await asyncio.sleep(_LOOK_EVERY)

    async def stop(self) -> None:
        """Stop all, last started first, each within eight seconds."""
        for task in self._restarts.values():
            task.cancel()
        for name in reversed(ORDER):
            entry = self._running.pop(name, None)
            if entry is None:
                continue
            began = time.monotonic()
            if await in_thread(entry.child.stop) == -signal.SIGKILL and time.monotonic() - began > STOP_GRACE:
                self._screen.warn(f"{name} did not stop within {STOP_GRACE:.0f} s and was killed")
            self._record.drop(name)
        self._record.clear()

    def _spawn(self, part: Part) -> Child:
        launch = part.launch()
        child = Child(launch)
        self._record.add(part.name, Identity.of(child.pid, launch.stop_signal))
        return child

    async def _revive(self, entry: _Running) -> None:
        name = entry.part.name
        while True:
            if time.monotonic() - entry.child.started_at > _HEALTHY_AFTER:
                entry.deaths = 0
            delay = min(_FIRST_DELAY * 2**entry.deaths, _LONGEST_DELAY)
            entry.deaths += 1
            self._screen.warn(f"{name} {_ending(entry.child)}; starting it again in {delay:g} s")
            await asyncio.sleep(delay)
            try:
                entry.child = self._spawn(entry.part)
                await in_thread(lambda: entry.part.wait_ready(entry.child))
                if (again := self._after_restart.get(name)) is not None:
                    await in_thread(again)
            except Exception as error:  # the edge of the loop: whatever failed, the next round tries again
                self._screen.warn(f"{name} did not come back: {error}")
                await in_thread(entry.child.stop)
                continue
            self._screen.note(f"{name} is back at {entry.part.where}")
            return


def _ending(child: Child) -> str:
    code = child.exit_code
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with {code}: {child.last_words()}"
