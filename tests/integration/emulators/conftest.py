from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import stripe

from devstack.servers.emulators import Emulator
from devstack.testing import WEBHOOK_SECRET, TestServers
from tests.integration.emulators.stripe_desk import Receiver, StripeDesk


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver(WEBHOOK_SECRET)
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def heard_stripe(servers: TestServers, receiver: Receiver) -> Iterator[Emulator]:
    """An emulator whose webhooks arrive at the receiver."""
    emulator = servers.new_stripe(receiver.url)
    child = emulator.start()
    yield emulator
    child.stop()


@pytest.fixture(scope="session")
async def stripe_http() -> AsyncIterator[stripe.HTTPXClient]:
    http = stripe.HTTPXClient(timeout=5)
    yield http
    await http.close_async()  # type: ignore[no-untyped-call]  # the SDK leaves it without types


@pytest.fixture(scope="session")
async def stripe_control(heard_stripe: Emulator) -> AsyncIterator[httpx.AsyncClient]:
    url = f"{heard_stripe.url}/_emulator"
    async with httpx.AsyncClient(base_url=url, timeout=10, verify=False) as control:
        yield control


@pytest.fixture
async def desk(
    heard_stripe: Emulator,
    receiver: Receiver,
    stripe_http: stripe.HTTPXClient,
    stripe_control: httpx.AsyncClient,
) -> AsyncIterator[StripeDesk]:
    desk = StripeDesk(heard_stripe, receiver, stripe_http, stripe_control)
    yield desk
    await desk.reset()
