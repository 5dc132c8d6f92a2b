"""The stack that the demo runs on: the one that is up, or one that it starts and stops again."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from devstack.demo.steps import Steps
from devstack.environment import Endpoints, running_endpoints
from devstack.errors import StackError
from devstack.home import PROJECT, Home
from devstack.processes import Child, Launch

_UP_WITHIN = 120.0
_STOP_WITHIN = 80.0


@asynccontextmanager
async def a_running_stack(steps: Steps, *, stay: bool) -> AsyncIterator[Endpoints]:
    """Leaves a stack alone that was up before; `stay` keeps one that was not until Ctrl-C."""
    home = Home.find()
    endpoints = running_endpoints(home)
    if endpoints is not None:
        yield endpoints
        return
    home.create()
    child = Child(
        Launch("stack", [sys.executable, "-m", "devstack"], log=home.log("demo-stack"), cwd=PROJECT)
    )
    try:
        yield await _up(child, home, steps)
        if stay:
            steps.note("the stack stays up; Ctrl-C stops it")
            while child.alive:  # noqa: ASYNC110 - another process's end sends no event
                await asyncio.sleep(0.5)
    finally:
        steps.note("stopping the stack that the demo started; its data is kept")
        await asyncio.to_thread(child.stop, _STOP_WITHIN)


async def _up(child: Child, home: Home, steps: Steps) -> Endpoints:
    steps.note("the local stack is not running: starting it")
    began = time.monotonic()
    while time.monotonic() - began < _UP_WITHIN:
        if not child.alive:
            raise StackError(f"the stack did not start: {child.last_words()}")
        endpoints = running_endpoints(home)
        if endpoints is not None:
            steps.note(f"the stack is up after {time.monotonic() - began:.1f} s")
            return endpoints
        await asyncio.sleep(0.2)
    raise StackError(f"the stack was not up within {_UP_WITHIN:.0f} s, see {home.logs}")
