"""Real servers for a test process: started on first use in a throw-away folder, all stopped at its end."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from devstack import ports
from devstack.leftovers import start_time
from devstack.processes import Child
from devstack.servers.aws import Ministack, Moto
from devstack.servers.emulators import Emulator, Provider
from devstack.servers.postgres import APP, OWNER, READONLY, Passwords, Postgres
from devstack.servers.temporal import Temporal, TemporalPorts
from devstack.servers.valkey import Valkey

STRIPE_API_KEY = "sk_test_devstack"
WEBHOOK_SECRET = "whsec_devstack"  # noqa: S105 - for throw-away emulators
CARRIER_API_KEY = "EZTK_devstack"

_MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
_MEMORY_NEEDED = 1 << 30
_TEMPLATE = "migrated"
_QUICK_RECOVERY = {"history.defaultWorkflowTaskTimeout": '"3s"'}
"""A killed worker's workflow tasks time out after 3 s, not 10: tests that kill wait less."""
_PREFIX = "commerce-test-"


@dataclass(frozen=True)
class Database:
    """A migrated database for one test; SQLAlchemy URLs for psycopg 3."""

    name: str
    owner_url: str
    app_url: str
    readonly_url: str


class TestServers:
    """What is asked for is started; `close` stops it all in reverse order and removes the folder."""

    __test__ = False

    def __init__(self, migrate: Callable[[str], None], search_attributes: Mapping[str, str]) -> None:
        self._migrate = migrate
        self._search_attributes = search_attributes
        self._children: list[Child] = []
        parent = _parent()
        _remove_abandoned(parent)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))

    def close(self) -> None:
        for child in reversed(self._children):
            child.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def postgres(self) -> Postgres:
        passwords = Passwords("super", "owner", "app", "readonly")
        server = Postgres(
            self.folder / "postgres", ports.free_port(), passwords, self._log("postgres"), durable=False
        )
        self._children.append(server.start())
        return server

    @cached_property
    def _template(self) -> str:
        """A database with all migrations, to be copied: a copy takes a twentieth of a second."""
        self.postgres.clone(_TEMPLATE, "template1")
        self._migrate(self.postgres.url(OWNER, _TEMPLATE))
        return _TEMPLATE

    @contextmanager
    def database(self) -> Iterator[Database]:
        name = f"test_{uuid4().hex[:12]}"
        self.postgres.clone(name, self._template)
        urls = (self.postgres.url(role, name) for role in (OWNER, APP, READONLY))
        try:
            yield Database(name, *urls)
        finally:
            self.postgres.drop(name)

    @cached_property
    def valkey(self) -> Valkey:
        server = Valkey(self.folder / "valkey", ports.free_port(), self._log("valkey"), keep=False)
        self._children.append(server.start())
        return server

    def empty_valkey(self) -> str:
        """The URL of a server without keys."""
        with socket.create_connection((ports.HOST, self.valkey.port), timeout=5.0) as connection:
            connection.sendall(b"FLUSHALL\r\n")
            connection.recv(16)
        return self.valkey.url

    @cached_property
    def temporal(self) -> Temporal:
        server = self.new_temporal()
        self._children.append(server.start())
        return server

    def new_temporal(self) -> Temporal:
        """A server of its own file and ports, not started: the caller starts and stops it."""
        at = TemporalPorts(*ports.assign(("grpc", "ui", "http", "metrics")).values())
        name = f"temporal-{uuid4().hex[:6]}"
        return Temporal(
            self.folder / name / "temporal.db",
            at,
            self._log(name),
            self._search_attributes,
            headless=True,
            dynamic_config=_QUICK_RECOVERY,
        )

    @cached_property
    def aws(self) -> Ministack:
        server = Ministack(self.folder / "aws", ports.free_port(), self._log("aws"), keep=False)
        self._children.append(server.start())
        return server

    @cached_property
    def moto(self) -> Moto:
        server = Moto(ports.free_port(), self._log("moto"))
        self._children.append(server.start())
        return server

    @cached_property
    def gateway_port(self) -> int:
        """Where the emulators deliver webhooks: a gateway under test listens here."""
        return ports.free_port()

    @cached_property
    def stripe(self) -> Emulator:
        server = self.new_stripe()
        self._children.append(server.start())
        return server

    @cached_property
    def carrier(self) -> Emulator:
        server = self.new_carrier()
        self._children.append(server.start())
        return server

    def new_stripe(self, webhook_url: str | None = None) -> Emulator:
        """Not started: the caller starts and stops it."""
        hook = webhook_url or f"http://{ports.HOST}:{self.gateway_port}/v1/webhooks/stripe"
        return self._emulator(Provider.STRIPE, hook, STRIPE_API_KEY)

    def new_carrier(self, webhook_url: str | None = None) -> Emulator:
        """Not started: the caller starts and stops it."""
        hook = webhook_url or f"http://{ports.HOST}:{self.gateway_port}/v1/webhooks/carriers/easypost"
        return self._emulator(Provider.CARRIER, hook, CARRIER_API_KEY)

    def _emulator(self, provider: Provider, webhook_url: str, api_key: str) -> Emulator:
        name = f"{provider.value}-{uuid4().hex[:6]}"
        return Emulator(
            provider=provider,
            port=ports.free_port(),
            data_dir=self.folder / name,
            log=self._log(name),
            webhook_url=webhook_url,
            webhook_secret=WEBHOOK_SECRET,
            api_key=api_key,
        )

    def _log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"


def _parent() -> Path:
    """Memory-backed where there is room, else the usual place for temporary files."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _MEMORY_NEEDED:
        return _MEMORY
    return Path(tempfile.gettempdir())


def _remove_abandoned(parent: Path) -> None:
    """What test processes that were killed left behind, each folder named by its process."""
    for folder in parent.glob(f"{_PREFIX}*-*"):
        pid = folder.name.removeprefix(_PREFIX).split("-")[0]
        # Another test process may be removing it at this moment.
        with suppress(FileNotFoundError):
            ours = folder.stat().st_uid == os.geteuid()
            if ours and pid.isdigit() and start_time(int(pid)) is None:
                shutil.rmtree(folder, ignore_errors=True)
