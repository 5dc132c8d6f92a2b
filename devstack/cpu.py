"""Processor time that the parts of a running stack have used."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


def seconds_by_part(pids: dict[str, int]) -> dict[str, float]:
    """User and system time of each process, its descendants, and those of them that have ended."""
    times: dict[int, float] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (stat := _stat(entry)) is not None:
            pid = int(entry.name)
            # Fields of proc(5) from the third on: parent is [1], utime to cstime are [11] to [14].
            times[pid] = sum(int(ticks) for ticks in stat[11:15]) / _TICKS
            children[int(stat[1])].append(pid)
    return {name: _of_tree(pid, times, children) for name, pid in pids.items()}


def _of_tree(pid: int, times: dict[int, float], children: dict[int, list[int]]) -> float:
    return times.get(pid, 0.0) + sum(_of_tree(child, times, children) for child in children[pid])


def _stat(entry: Path) -> list[str] | None:
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
