"""`python -m devstack`: the whole shop on this machine until Ctrl-C. Also `stop`, `clean`, `status`."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time

from devstack import leftovers, parts
from devstack.environment import SUPERVISOR, running_endpoints
from devstack.errors import StackError
from devstack.home import Home
from devstack.leftovers import Record
from devstack.life import run
from devstack.screen import Screen
from devstack.stack import OPTIONAL, Stack
from devstack.supervisor import Supervisor

_STOP_WITHIN = 70.0
"""Seconds: eight parts with eight seconds each, and some."""


def main() -> None:
    arguments = _parser().parse_args()
    home, screen = Home.find(), Screen()
    try:
        if arguments.command == "up":
            code = up(home, screen, frozenset(arguments.without))
        else:
            code = {"stop": stop, "clean": clean, "status": status}[arguments.command](home, screen)
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
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=OPTIONAL,
        help="leave a part out, to run it by yourself with the settings in .devstack/env",
    )
    return parser


def up(home: Home, screen: Screen, without: frozenset[str]) -> int:
    parts.require_programs()

    async def bring_up(supervisor: Supervisor) -> None:
        await Stack(home, supervisor, screen, without).up()

    return run(home, screen, bring_up)


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
