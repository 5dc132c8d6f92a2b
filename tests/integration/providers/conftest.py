from collections.abc import AsyncIterator

import pytest

from devstack.servers.emulators import Emulator
from devstack.testing import TestServers
from tests.integration.providers.stripe_desk import StripeDesk


@pytest.fixture(scope="session")
async def shared_stripe_desk(servers: TestServers) -> AsyncIterator[StripeDesk]:
    desk = StripeDesk(servers.stripe)
    yield desk
    await desk.close()


@pytest.fixture
async def stripe_desk(stripe_emulator: Emulator, shared_stripe_desk: StripeDesk) -> StripeDesk:
    """Without planted faults."""
    return shared_stripe_desk
