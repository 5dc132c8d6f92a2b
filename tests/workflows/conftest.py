"""One back office for all tests of this folder; after each test its histories are replayed."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.backoffice import BackOffice
from support.backoffice_start import open_backoffice
from support.faults import PlannedFaults
from support.gates import Gates
from support.histories import replay_new, stop_all

from devstack.testing import TestServers


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_office(servers: TestServers) -> AsyncIterator[BackOffice]:
    with servers.database() as database:
        async with open_backoffice(servers, database, PlannedFaults(), Gates()) as office:
            yield office


@pytest.fixture(scope="session")
def replayed() -> set[str]:
    """Runs whose histories have been replayed."""
    return set()


@pytest_asyncio.fixture(loop_scope="session")
async def office(running_office: BackOffice, replayed: set[str]) -> AsyncIterator[BackOffice]:
    """Without planted faults, parcels standing still; what a test leaves running is stopped and replayed."""
    running_office.planned.clear()
    await running_office.speed(None)
    yield running_office
    running_office.gates.clear()
    running_office.planned.clear()
    running_office.stripe.reset()
    running_office.carrier.reset()
    await running_office.http.delete(f"{running_office.stripe.url}/_emulator/settings")
    await stop_all(running_office.client)
    assert await replay_new(running_office.client, replayed) == []
