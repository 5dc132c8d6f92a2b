"""One running shop for all tests of this folder, on a database of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.faults import PlannedFaults
from support.shop import Shop, open_shop, open_worker

from devstack.testing import TestServers


@pytest.fixture(scope="session")
def planned() -> PlannedFaults:
    return PlannedFaults()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_shop(servers: TestServers, planned: PlannedFaults) -> AsyncIterator[Shop]:
    with servers.database() as database:
        async with open_shop(servers, database) as shop, open_worker(shop, interceptors=[planned]):
            yield shop


@pytest_asyncio.fixture(loop_scope="session")
async def shop(running_shop: Shop, planned: PlannedFaults) -> AsyncIterator[Shop]:
    """The running shop without planted faults, its parcels moving fast."""
    yield running_shop
    planned.clear()
    running_shop.stripe.reset()
    running_shop.carrier.reset()
    await running_shop.carrier_speed(0.1, 0.3)
