"""Ports on the loopback address: those of last time if they are free, else free ones."""

from __future__ import annotations

import json
import os
import random
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

from devstack.errors import StackError

HOST = "127.0.0.1"
ENV_PREFIX = "DEVSTACK_PORT_"

_LOWEST, _HIGHEST = 20_000, 32_000
"""Below the range the kernel takes for outgoing connections, so that a restarted server finds its port."""


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether something accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def free_port(taken: Iterable[int] = ()) -> int:
    avoid = set(taken)
    for _ in range(200):
        port = random.randrange(_LOWEST, _HIGHEST)
        if port not in avoid and is_free(port):
            return port
    raise StackError(f"no free port between {_LOWEST} and {_HIGHEST} on {HOST}")


def assign(
    names: Iterable[str], remembered: Path | None = None, environ: Mapping[str, str] = os.environ
) -> dict[str, int]:
    """One port per name, kept in the file `remembered`.

    `DEVSTACK_PORT_<NAME>` sets a port; if that one is taken, StackError is raised.
    """
    previous = _read(remembered)
    ports: dict[str, int] = {}
    for name in names:
        ports[name] = (
            _explicit(name, environ) or _kept(previous.get(name), ports) or free_port(ports.values())
        )
    if remembered is not None:
        remembered.parent.mkdir(parents=True, exist_ok=True)
        remembered.write_text(json.dumps(ports, indent=2) + "\n")
    return ports


def _read(remembered: Path | None) -> dict[str, int]:
    if remembered is None or not remembered.exists():
        return {}
    try:
        found = json.loads(remembered.read_text())
    except ValueError:
        return {}
    return {str(k): v for k, v in found.items() if isinstance(v, int)} if isinstance(found, dict) else {}


def _explicit(name: str, environ: Mapping[str, str]) -> int | None:
    variable = ENV_PREFIX + name.upper()
    text = environ.get(variable)
    if not text:
        return None
    if not text.isdigit() or not 1024 <= int(text) <= 65_535:
        raise StackError(f"{variable}={text} is no port between 1024 and 65535")
    if not is_free(int(text)):
        raise StackError(f"port {text} ({variable}) is taken by another program")
    return int(text)


def _kept(port: int | None, ports: Mapping[str, int]) -> int | None:
    return port if port is not None and port not in ports.values() and is_free(port) else None
