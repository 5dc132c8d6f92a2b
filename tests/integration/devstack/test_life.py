"""However a stack is ended, nothing of it stays; whatever dies in it comes back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from devstack import ports
from devstack.home import PROJECT
from devstack.leftovers import Identity, Record

MAKEFILE = f"dev:\n\t@exec {sys.executable} {Path(__file__).with_name('small_stack.py')}\n"


@dataclass
class Run:
    """A started `make dev`, its folder and the processes it recorded."""

    make: subprocess.Popen[str]
    folder: Path
    people: dict[str, Identity]

    @property
    def port(self) -> int:
        return int(json.loads((self.folder / "ports.json").read_text())["valkey"])

    def log(self, name: str) -> str:
        return (self.folder / "logs" / f"{name}.log").read_text()

    def everything_is_gone(self) -> bool:
        return not any(identity.alive for identity in self.people.values()) and not ports.answers(self.port)

    def output(self) -> str:
        return self.make.communicate(timeout=10)[0]


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Run]]:
    (tmp_path / "Makefile").write_text(MAKEFILE)
    folder = tmp_path / "stack"
    started: list[Run] = []

    def begin() -> Run:
        make = subprocess.Popen(
            ["make", "dev"],
            cwd=tmp_path,
            env={**os.environ, "DEVSTACK_DIR": str(folder), "PYTHONPATH": str(PROJECT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        run = Run(make, folder, {})
        started.append(run)
        assert eventually((folder / "endpoints.json").exists), make.communicate(timeout=1)
        run.people = Record(folder / "processes.json").read()
        return run

    yield begin
    for run in started:
        for identity in (*Record(folder / "processes.json").read().values(), *run.people.values()):
            if identity.alive:
                os.kill(identity.pid, signal.SIGKILL)
        run.make.kill()
        run.make.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("target", ["make", "group", "supervisor"])
def test_a_signal_ends_everything_in_order(
    start: Callable[[], Run], target: str, number: signal.Signals
) -> None:
    run = start()
    if target == "group":
        os.killpg(run.make.pid, number)
    else:
        os.kill(run.make.pid if target == "make" else run.people["supervisor"].pid, number)
    assert eventually(run.everything_is_gone)
    assert "drained" in run.log("worker")
    assert not (run.folder / "processes.json").exists()
    assert not (run.folder / "endpoints.json").exists()


@pytest.mark.parametrize("target", ["make", "group", "supervisor"])
def test_sigkill_leaves_no_process_and_no_port(start: Callable[[], Run], target: str) -> None:
    run = start()
    if target == "group":
        os.killpg(run.make.pid, signal.SIGKILL)
    else:
        os.kill(run.make.pid if target == "make" else run.people["supervisor"].pid, signal.SIGKILL)
    assert eventually(run.everything_is_gone)


def test_all_is_stopped_though_its_folder_was_removed(start: Callable[[], Run]) -> None:
    run = start()
    port = run.port
    shutil.rmtree(run.folder)
    os.kill(run.people["supervisor"].pid, signal.SIGTERM)
    assert eventually(lambda: not any(identity.alive for identity in run.people.values()), 5)
    assert not ports.answers(port)


def test_a_killed_part_comes_back_on_its_port_with_one_line(start: Callable[[], Run]) -> None:
    run = start()
    os.kill(run.people["valkey"].pid, signal.SIGKILL)
    assert eventually(lambda: Record(run.folder / "processes.json").read()["valkey"] != run.people["valkey"])
    assert eventually(lambda: ports.answers(run.port))
    assert run.people["worker"].alive
    run.people |= Record(run.folder / "processes.json").read()
    os.kill(run.people["supervisor"].pid, signal.SIGINT)
    said = run.output()
    assert said.count("valkey was ended by SIGKILL; starting it again in 0.5 s") == 1
    assert run.everything_is_gone()


def test_the_next_start_ends_what_a_crash_left(start: Callable[[], Run], tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    folder.mkdir()
    code = "import signal,time;signal.signal(15,signal.SIG_IGN);print('on',flush=True);time.sleep(60)"
    left = subprocess.Popen(
        [sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE, text=True
    )
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    assert left.stdout is not None
    assert left.stdout.readline() == "on\n"
    record = Record(folder / "processes.json")
    record.add("gateway", Identity.of(left.pid, signal.SIGINT))
    record.add("worker", Identity(other.pid, "another boot/1"))
    try:
        run = start()
        assert left.wait(5) in {-signal.SIGINT, 1}
        assert other.poll() is None
        os.kill(run.people["supervisor"].pid, signal.SIGTERM)
        assert "ended what an earlier run left: gateway" in run.output()
    finally:
        for process in (left, other):
            process.kill()
            process.communicate()


def test_a_second_stack_in_the_same_folder_is_refused(start: Callable[[], Run]) -> None:
    first = start()
    second = subprocess.run(
        ["make", "dev"],
        cwd=first.folder.parent,
        env={**os.environ, "DEVSTACK_DIR": str(first.folder), "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode != 0
    assert "is up already" in second.stdout + second.stderr
    assert all(identity.alive for identity in first.people.values())
