"""The whole stack by `make dev`, as a new user starts it: up, told where, restarted, ended, up again."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from devstack import ports
from devstack.cognito import PEOPLE
from devstack.cpu import seconds_by_part
from devstack.environment import PORT_NAMES
from devstack.home import PROJECT
from devstack.leftovers import Record
from devstack.parts import ORDER

KEYS = {
    *("gateway", "docs", "temporal", "temporal_ui", "namespace", "database_url", "valkey_url"),
    *("aws_endpoint", "stripe_api", "stripe_journal", "stripe_webhook_secret", "carrier_api", "tokens"),
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def eventually(holds: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


class Stack:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.make: subprocess.Popen[str] | None = None

    def start(self, seconds: float) -> None:
        """Returns when all is up."""
        self.make = subprocess.Popen(
            ["make", "dev"],
            cwd=PROJECT,
            env={**os.environ, "DEVSTACK_DIR": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        up = eventually(lambda: self.endpoints_file.exists() or self.make_ended(), seconds)
        if not up or self.make_ended():
            os.killpg(self.make.pid, signal.SIGKILL)
            pytest.fail(f"not up after {seconds} s: {self.make.communicate()[0]}")

    def make_ended(self) -> bool:
        return self.make is None or self.make.poll() is not None

    def interrupt(self) -> str:
        """Ctrl-C at the terminal: SIGINT to the whole group."""
        assert self.make is not None
        os.killpg(self.make.pid, signal.SIGINT)
        return self.make.communicate(timeout=60)[0]

    @property
    def endpoints_file(self) -> Path:
        return self.folder / "endpoints.json"

    @property
    def endpoints(self) -> dict[str, Any]:
        return dict(json.loads(self.endpoints_file.read_text()))

    @property
    def ports(self) -> dict[str, int]:
        return dict(json.loads((self.folder / "ports.json").read_text()))

    def came_back(self, part: str, pid: int) -> bool:
        port = self.ports["worker_metrics" if part == "worker" else part]
        return self.pid(part) != pid and ports.answers(port)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.endpoints['gateway']}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def pid(self, part: str) -> int:
        return Record(self.folder / "processes.json").read()[part].pid


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("whole") / "stack")
    running.start(180)
    yield running
    if not running.make_ended():
        running.interrupt()


def test_endpoints_are_complete_and_private(stack: Stack) -> None:
    told = stack.endpoints
    assert told.keys() >= KEYS
    assert told["tokens"].keys() == set(PEOPLE)
    for name in ("endpoints.json", "env", "secrets.json", "processes.json"):
        assert stat.S_IMODE((stack.folder / name).stat().st_mode) == 0o600, name
    assert stat.S_IMODE(stack.folder.stat().st_mode) == 0o700
    assert httpx.get(f"{told['gateway']}/readyz").status_code == 200
    assert httpx.get(told["docs"]).status_code == 200
    assert httpx.get(told["temporal_ui"]).status_code == 200
    with psycopg.connect(told["database_url"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("commerce_app",)
        products = connection.execute("SELECT count(*) FROM products").fetchone()
        assert products is not None
        assert products[0] > 0


def test_a_demo_person_is_known_at_the_gateway(stack: Stack) -> None:
    told = stack.endpoints
    answers = {
        person: httpx.get(f"{told['gateway']}/v1/me", headers={"Authorization": f"Bearer {token}"})
        for person, token in told["tokens"].items()
    }
    assert {person: answer.status_code for person, answer in answers.items()} == dict.fromkeys(PEOPLE, 200)
    assert httpx.get(f"{told['gateway']}/v1/me").status_code == 401


@pytest.mark.parametrize(
    "parts", [("postgres", "temporal", "aws", "carrier"), ("worker", "gateway")], ids=["servers", "shop"]
)
def test_killed_parts_come_back_on_their_ports(stack: Stack, parts: tuple[str, ...]) -> None:
    before = {part: stack.pid(part) for part in parts}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: all(stack.came_back(part, pid) for part, pid in before.items()), 60)
    assert eventually(stack.is_ready, 60)


def test_ctrl_c_ends_all_of_it_and_the_next_start_is_quick(stack: Stack) -> None:
    taken = stack.ports
    people = Record(stack.folder / "processes.json").read()
    assert people.keys() == {"supervisor", *ORDER}
    said = stack.interrupt()
    assert "stopped; the data is kept" in said
    assert [name for name, identity in people.items() if identity.alive] == []
    assert [name for name in PORT_NAMES if ports.answers(taken[name])] == []
    assert not stack.endpoints_file.exists()
    stack.start(120)
    # Under 15 s on two cores of its own. Wall time would be at the mercy of whoever else runs here.
    assert seconds_by_part({"all": stack.pid("supervisor")})["all"] < 25
    assert stack.ports == taken
