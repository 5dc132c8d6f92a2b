"""The life of a stack's process: one per folder, from the first leftover ended to the last part stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from devstack import leftovers
from devstack.environment import AWS_IDENTITY, SUPERVISOR
from devstack.errors import StackError
from devstack.home import Home
from devstack.leftovers import Identity, Record
from devstack.make import end_with_make, make_gave_up
from devstack.screen import Screen
from devstack.supervisor import Supervisor

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(home: Home, screen: Screen, bring_up: Callable[[Supervisor], Awaitable[None]]) -> int:
    """Bring up, supervise until a signal, stop all. Raises StackError if it can't be brought up."""
    end_with_make()
    home.create()
    held = home.lock()
    if held is None:
        supervisor = Record(home.processes).read().get(SUPERVISOR)
        pid = f" (pid {supervisor.pid})" if supervisor else ""
        raise StackError(f"the stack in {home.folder} is up already{pid}; `make stop` stops it")
    _end_leftovers(home, screen)
    home.rotate_logs()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= AWS_IDENTITY
    # Not closed: that would wait for threads which wait for servers of a start given up.
    return asyncio.Runner().run(_run(home, screen, bring_up))


async def _run(home: Home, screen: Screen, bring_up: Callable[[Supervisor], Awaitable[None]]) -> int:
    stopping = asyncio.Event()
    for number in _STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    record = Record(home.processes)
    record.add(SUPERVISOR, Identity.of(os.getpid()))
    supervisor = Supervisor(record, screen)

    async def live() -> None:
        await bring_up(supervisor)
        await supervisor.watch()

    life = asyncio.create_task(live())
    stops = [asyncio.create_task(stopping.wait()), asyncio.create_task(make_gave_up())]
    try:
        await asyncio.wait({life, *stops}, return_when=asyncio.FIRST_COMPLETED)
        if life.done():
            life.result()
        return 0
    finally:
        life.cancel()
        screen.note("stopping…")
        home.endpoints.unlink(missing_ok=True)
        await supervisor.stop()
        screen.note("stopped; the data is kept")


def _end_leftovers(home: Home, screen: Screen) -> None:
    home.endpoints.unlink(missing_ok=True)
    found = Record(home.processes).read()
    found.pop(SUPERVISOR, None)
    if ended := leftovers.end(found):
        screen.note(f"ended what an earlier run left: {', '.join(ended)}")
