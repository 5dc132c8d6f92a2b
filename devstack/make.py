"""Ends with the `make` that started the stack, however that one ends."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LOOK_EVERY = 0.5
_NOT_PASSED_ON = 1 << (signal.SIGINT - 1) | 1 << (signal.SIGHUP - 1)
"""Make hands SIGTERM to its recipe, but takes it that a terminal sends these two to everybody."""


def end_with_make() -> None:
    """If make is the parent, have the kernel send SIGTERM when it is killed. Another parent, such as a
    script that started the stack in the background, may end before the stack."""
    parent = os.getppid()
    if not _is_make(parent):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("make ended first")


async def make_gave_up() -> None:
    """Returns when make alone got SIGINT or SIGHUP: it then waits for its recipe without telling it.

    Told by its signal handler being gone; never returns where make is not the parent.
    """
    parent = os.getppid()
    caught = _caught_signals(parent) & _NOT_PASSED_ON if _is_make(parent) else 0
    if not caught:
        await asyncio.Event().wait()
    while _caught_signals(parent) & caught == caught:  # noqa: ASYNC110 - another process's state sends no event
        await asyncio.sleep(_LOOK_EVERY)


def _is_make(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() in {"make", "gmake"}
    except OSError:
        return False


def _caught_signals(pid: int) -> int:
    """As a bit mask; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:")), 0)
