"""Who runs in a stack, by process id and start time, so that the next start ends what a crash left."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from devstack.home import write_private
from devstack.processes import STOP_GRACE

_PROC = Path("/proc")


@dataclass(frozen=True)
class Identity:
    """A process id alone may be somebody else's by now; with its start time and boot it is not."""

    pid: int
    started: str
    stop_signal: int = signal.SIGTERM

    @classmethod
    def of(cls, pid: int, stop_signal: int = signal.SIGTERM) -> Identity:
        return cls(pid, start_time(pid) or "", stop_signal)

    @property
    def alive(self) -> bool:
        return bool(self.started) and start_time(self.pid) == self.started


def start_time(pid: int) -> str | None:
    """Boot id and clock ticks since boot; None for a process that is gone or a zombie."""
    try:
        state, *rest = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else f"{boot}/{rest[18]}"


class Record:
    """`processes.json`: the supervisor and its parts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts: dict[str, Identity] = {}

    def add(self, name: str, identity: Identity) -> None:
        self._parts[name] = identity
        self._write()

    def drop(self, name: str) -> None:
        self._parts.pop(name, None)
        # Whoever removed the folder of a running stack still gets all of it stopped.
        with suppress(FileNotFoundError):
            self._write()

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)

    def read(self) -> dict[str, Identity]:
        """What is on file; empty if there is none or it is damaged."""
        try:
            found = json.loads(self._path.read_text())
            return {
                name: Identity(int(v["pid"]), str(v["started"]), int(v["stop_signal"]))
                for name, v in found.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _write(self) -> None:
        parts = {name: asdict(identity) for name, identity in self._parts.items()}
        write_private(self._path, json.dumps(parts, indent=2) + "\n")


def end(leftovers: dict[str, Identity], grace: float = STOP_GRACE) -> list[str]:
    """End recorded processes that still run: stop signal to all, SIGKILL after `grace` seconds.

    Returns their names. Each part leads a session of its own, so its own children go with it.
    """
    running = {name: identity for name, identity in leftovers.items() if identity.alive}
    for identity in running.values():
        with suppress(ProcessLookupError, PermissionError):
            os.kill(identity.pid, identity.stop_signal)
    deadline = time.monotonic() + grace
    while any(i.alive for i in running.values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    for identity in running.values():
        if identity.alive:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(identity.pid, signal.SIGKILL)
    return sorted(running)
