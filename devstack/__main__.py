"""`python -m devstack`: the whole shop on this machine until Ctrl-C. Also `stop`, `clean`, `status`."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import time

from devstack import leftovers, parts
from devstack.environment import AWS_IDENTITY, SUPERVISOR, running_endpoints
from devstack.errors import StackError
from devstack.home import Home
from devstack.leftovers import Identity, Record
from devstack.make import end_with_make, make_gave_up
from devstack.screen import Screen
from devstack.stack import Stack
from devstack.supervisor import Supervisor

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STOP_WITHIN = 70.0
"""Seconds: eight parts with eight seconds each, and some."""


def main() -> None:
    arguments = _parser().parse_args()
    commands = {"up": up, "stop": stop, "clean": clean, "status": status}
    screen = Screen()
    try:
        code = commands[arguments.command](Home.find(), screen)
    except StackError as error:
        screen.fail(str(error))
        code = 1
    sys.stdout.flush()
    # Threads that still wait for a server of a start given up would hold up an ordinary exit.
    os._exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devstack", description=__doc__)
    choices = ("up", "stop", "clean", "status")
    parser.add_argument("command", nargs="?", default="up", choices=choices)
    return parser


def up(home: Home, screen: Screen) -> int:
    end_with_make()
    home.create()
    held = home.lock()
    if held is None:
        supervisor = Record(home.processes).read().get(SUPERVISOR)
        pid = f" (pid {supervisor.pid})" if supervisor else ""
        raise StackError(f"the stack in {home.folder} is up already{pid}; `make stop` stops it")
    parts.require_programs()
    _end_leftovers(home, screen)
    home.rotate_logs()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= AWS_IDENTITY
    return asyncio.Runner().run(_run(home, screen))


async def _run(home: Home, screen: Screen) -> int:
    stopping = asyncio.Event()
    for number in _STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    record = Record(home.processes)
    record.add(SUPERVISOR, Identity.of(os.getpid()))
    supervisor = Supervisor(record, screen)
    life = asyncio.create_task(_live(home, supervisor, screen))
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


async def _live(home: Home, supervisor: Supervisor, screen: Screen) -> None:
    await Stack(home, supervisor, screen).up()
    await supervisor.watch()


def _end_leftovers(home: Home, screen: Screen) -> None:
    home.endpoints.unlink(missing_ok=True)
    found = Record(home.processes).read()
    found.pop(SUPERVISOR, None)
    if ended := leftovers.end(found):
        screen.note(f"ended what an earlier run left: {', '.join(ended)}")


def stop(home: Home, screen: Screen) -> int:
    """Stop the stack that runs in this folder, from another terminal."""
    supervisor = Record(home.processes).read().get(SUPERVISOR)
    if supervisor is None or not supervisor.alive:
        screen.note("the stack is not running")
        return 0
    os.kill(supervisor.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_WITHIN
    while supervisor.alive:
        if time.monotonic() > deadline:
            raise StackError(f"the stack (pid {supervisor.pid}) did not stop within {_STOP_WITHIN:.0f} s")
        time.sleep(0.1)
    screen.note("the stack is stopped")
    return 0


def clean(home: Home, screen: Screen) -> int:
    """Stop the stack and remove all its data."""
    stop(home, screen)
    leftovers.end(Record(home.processes).read())
    if home.folder.exists():
        shutil.rmtree(home.folder)
    screen.note(f"removed {home.folder}")
    return 0


def status(home: Home, screen: Screen) -> int:
    """0 when the stack is up, 3 when it is not."""
    endpoints = running_endpoints(home)
    if endpoints is None:
        screen.note("the stack is not running")
        return 3
    screen.note(f"the stack is up: {endpoints['gateway']}")
    return 0


if __name__ == "__main__":
    main()
