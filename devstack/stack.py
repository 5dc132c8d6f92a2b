"""Brings the whole stack up: independent parts at the same time, each step after what it needs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from devstack import cognito, parts, ports, preparation
from devstack.aws_resources import ensure_resources
from devstack.cognito import UserPool
from devstack.credentials import Credentials
from devstack.environment import PORT_NAMES, Addresses, settings, write_endpoints, write_env
from devstack.home import Home
from devstack.screen import Screen
from devstack.servers.postgres import OWNER
from devstack.supervisor import Supervisor, in_thread

T = TypeVar("T")

OPTIONAL = ("worker", "gateway")
"""Parts that a person may run by hand instead, in a debugger for instance."""


@dataclass(frozen=True)
class _Cloud:
    pool: UserPool
    queues: dict[str, str]


class Stack:
    def __init__(
        self, home: Home, supervisor: Supervisor, screen: Screen, without: frozenset[str] = frozenset()
    ) -> None:
        self._home = home
        self._without = without
        self._supervisor = supervisor
        self._screen = screen
        self._at = Addresses(ports.assign(PORT_NAMES, home.ports))
        self._credentials = Credentials.load(home.secrets)
        self._servers = parts.servers(home, self._at, self._credentials)

    async def up(self) -> None:
        """Returns when everything is ready and `endpoints.json` is written. Raises StackError."""
        cloud = await self._start_servers()
        complete = settings(self._at, self._credentials, cloud.pool)
        write_env(self._home, complete)
        async with _together() as group:
            for make in (parts.worker, parts.gateway):
                part = make(self._home, self._at, complete)
                if part.name not in self._without:
                    group.create_task(self._supervisor.start(part))
        await in_thread(
            lambda: write_endpoints(self._home, self._at, self._credentials, cloud.pool, cloud.queues)
        )
        self._screen.overview(self._home, self._at, self._credentials.people_password)

    async def _start_servers(self) -> _Cloud:
        rest = [part for part in self._servers.parts() if part.name not in {"postgres", "aws"}]
        async with _together() as group:
            group.create_task(self._database())
            for part in rest:
                group.create_task(self._supervisor.start(part))
            cloud = group.create_task(self._cloud())
        return cloud.result()

    async def _database(self) -> None:
        await in_thread(self._servers.postgres.prepare)
        await self._supervisor.start(self._part("postgres"))
        owner_url = self._at.database(OWNER, self._credentials)
        await self._step("migrations", lambda: preparation.migrate(self._home, owner_url))
        await self._step("seed", lambda: preparation.seed(self._home, owner_url))

    async def _cloud(self) -> _Cloud:
        server = self._servers.aws
        fresh = not server.has_state
        await self._supervisor.start(self._part("aws"))
        cloud = await self._step("resources", self._ensure_cloud)
        if fresh:
            # The emulator writes its state when it stops: without this a crash would lose the user pool.
            await self._supervisor.restart("aws")
        self._supervisor.on_restart("aws", self._ensure_cloud)
        return cloud

    def _ensure_cloud(self) -> _Cloud:
        endpoint = self._servers.aws.endpoint
        queues = ensure_resources(endpoint).queues
        return _Cloud(cognito.ensure_pool(endpoint, self._credentials.people_password), queues)

    def _part(self, name: str) -> parts.Part:
        return next(part for part in self._servers.parts() if part.name == name)

    async def _step(self, name: str, work: Callable[[], T]) -> T:
        began = time.monotonic()
        result = await in_thread(work)
        self._screen.step(name, time.monotonic() - began, "")
        return result


@asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group whose failure is the first error itself: people read one line, not a tree."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise _first(errors) from None


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
