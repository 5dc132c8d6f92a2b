"""Has a stack running, for commands that need one, such as the demonstration."""

from __future__ import annotations

import subprocess
import sys
import time

from devstack.environment import Endpoints, running_endpoints
from devstack.errors import StackError
from devstack.home import PROJECT, Home

_PATIENCE = 180.0


def ensure_running(home: Home | None = None) -> tuple[Endpoints, bool]:
    """The endpoints of the stack that is up, started in the background if need be.

    The second value says whether it was started here; it then runs on until `make stop`.
    Raises StackError with the stack's own last line if it can't be started.
    """
    home = home or Home.find()
    if (endpoints := running_endpoints(home)) is not None:
        return endpoints, False
    home.create()
    log = home.log("stack")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "devstack"],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + _PATIENCE
    while (endpoints := running_endpoints(home)) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(errors="replace")
            faults = [line for line in said.splitlines() if line.startswith("✗")]
            raise StackError(f"the stack did not start: {faults[-1][2:] if faults else f'see {log}'}")
        time.sleep(0.2)
    return endpoints, True
