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
    """Returns when make got SIGINT by itself: it then waits for its recipe without telling it.

    Told by its signal handler being gone; never returns where make is not the parent or ignores SIGINT.
    """
    parent = os.getppid()
    if not _is_make(parent) or not _catches_interrupt(parent):
        await asyncio.Event().wait()
    while _catches_interrupt(parent):  # noqa: ASYNC110 - another process's state sends no event
        await asyncio.sleep(_LOOK_EVERY)


def _is_make(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() in {"make", "gmake"}
    except OSError:
        return False


def _catches_interrupt(pid: int) -> bool:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    caught = next((line.split()[1] for line in lines if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) & 1 << (signal.SIGINT - 1))
