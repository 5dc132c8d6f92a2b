"""A stack of two parts, run like the whole one: for tests of how it ends."""

from __future__ import annotations

import os
import sys

from devstack.home import Home
from devstack.life import run
from devstack.parts import Part
from devstack.ports import assign
from devstack.processes import Launch
from devstack.screen import Screen
from devstack.servers.valkey import Valkey
from devstack.supervisor import Supervisor

SLOW_TO_STOP = """
import signal, time
def drain(*_):
    time.sleep(0.3)
    print("drained", flush=True)
    raise SystemExit(0)
signal.signal(signal.SIGTERM, drain)
print("up", flush=True)
while True:
    time.sleep(60)
"""


def main() -> None:
    home, screen = Home.find(), Screen()
    port = assign(["valkey"], home.ports)["valkey"]
    valkey = Valkey(home.data("valkey"), port, home.log("valkey"))
    launch = Launch("worker", [sys.executable, "-c", SLOW_TO_STOP], home.log("worker"))

    async def bring_up(supervisor: Supervisor) -> None:
        await supervisor.start(Part("valkey", valkey.url, valkey.launch, valkey.wait_ready))
        up = Part(
            "worker", "", lambda: launch, lambda c: c.wait_ready(lambda: "up" in launch.log.read_text())
        )
        await supervisor.start(up)
        home.endpoints.write_text("{}")

    os._exit(run(home, screen, bring_up))


if __name__ == "__main__":
    main()
