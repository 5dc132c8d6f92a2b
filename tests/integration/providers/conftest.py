from collections.abc import AsyncIterator, Iterator

import pytest

from devstack.servers.emulators import Emulator
from devstack.testing import TestServers
from tests.integration.providers import aws_bench
from tests.integration.providers.aws_bench import AwsBench
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


@pytest.fixture(scope="session", params=["ministack", "moto"])
def aws(request: pytest.FixtureRequest) -> Iterator[AwsBench]:
    """Both emulators, so that no quirk of one becomes the rule."""
    name = "aws_endpoint" if request.param == "ministack" else "moto_endpoint"
    bench = aws_bench.build(request.getfixturevalue(name))
    yield bench
    bench.clients.close()


@pytest.fixture(scope="session")
def ministack(aws_endpoint: str) -> Iterator[AwsBench]:
    """The one that is right under concurrent writes."""
    bench = aws_bench.build(aws_endpoint)
    yield bench
    bench.clients.close()
