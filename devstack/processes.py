"""Child processes that never outlive the stack: own session, parent-death signal, bounded stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from devstack.errors import StackError

STOP_GRACE = 8.0
"""Seconds a child has between the stop signal and SIGKILL."""

_LAUNCHER = str(Path(__file__).with_name("launcher.py"))
_POLL = 0.02


@dataclass(frozen=True)
class Launch:
    """How to run one child.

    `env` is added to the environment of the starter. `prefix` is put before the launcher, for tools
    such as `unshare` that replace themselves by the command that follows.
    """

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    prefix: Sequence[str] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM


class Child:
    """A running child process. Start it from a thread that lives as long as the child should:
    the kernel sends the parent-death signal when the starting thread ends."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.started_at = time.monotonic()
        launch.log.parent.mkdir(parents=True, exist_ok=True)
        command = [
            *launch.prefix,
            *(sys.executable, "-I", "-S", _LAUNCHER, str(int(launch.death_signal)), str(os.getpid())),
            *launch.argv,
        ]
        with launch.log.open("ab") as log:
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **launch.env},
                    cwd=launch.cwd,
                    start_new_session=True,
                )
            except OSError as error:
                raise StackError(f"{launch.name}: cannot run {command[0]}: {error.strerror}") from error

    @property
    def name(self) -> str:
        return self.launch.name

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number if a signal ended it."""
        return self._process.poll()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self, probe: Callable[[], bool], timeout: float = 30.0) -> None:
        """Block until `probe` answers True. Raises StackError when the child ends or time runs out."""
        deadline = time.monotonic() + timeout
        while not probe():
            if not self.alive:
                raise StackError(f"{self.name} ended with {self.exit_code}: {self.last_words()}")
            if time.monotonic() > deadline:
                raise StackError(f"{self.name} was not ready after {timeout:.0f} s, see {self.launch.log}")
            time.sleep(_POLL)

    def last_words(self) -> str:
        """The last line the child wrote, for an error message."""
        with suppress(OSError):
            lines = self.launch.log.read_text(errors="replace").strip().splitlines()
            if lines:
                return f"{lines[-1].strip()} ({self.launch.log})"
        return f"see {self.launch.log}"

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self, grace: float = STOP_GRACE) -> int:
        """Stop signal, then SIGKILL to the child's whole session after `grace` seconds."""
        if self.alive:
            self._process.send_signal(self.launch.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        return self._process.wait()


def run_tool(name: str, argv: Sequence[str], timeout: float = 60.0) -> str:
    """Run a short command to its end and return what it printed. Raises StackError if it fails."""
    try:
        done = subprocess.run(
            list(argv), capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        raise StackError(f"{name}: cannot run {argv[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise StackError(f"{name} did not end within {timeout:.0f} s") from error
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        raise StackError(f"{name} failed with {done.returncode}: {lines[-1]}")
    return done.stdout
