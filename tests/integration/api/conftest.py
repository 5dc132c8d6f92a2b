from collections.abc import AsyncIterator, Iterator

import boto3
import httpx
import pytest

from commerce.providers.aws.tables import ensure_cart_table
from devstack.seed import seed
from devstack.testing import Database, TestServers
from tests.integration.api.bench import Shop, serving, settings_for
from tests.integration.api.jwks import TokenDesk
from tests.integration.api.scripted import ScriptedWorkflows


@pytest.fixture(scope="session")
def desk() -> Iterator[TokenDesk]:
    desk = TokenDesk()
    yield desk
    desk.close()


@pytest.fixture(scope="session")
def seeded(servers: TestServers) -> Iterator[Database]:
    """The demonstration shop, shared: tests use carts and people of their own."""
    with servers.database() as database:
        seed(database.owner_url)
        yield database


@pytest.fixture(scope="session")
def cart_table(aws_endpoint: str) -> None:
    ensure_cart_table(boto3.client("dynamodb", endpoint_url=aws_endpoint), "gateway_carts")


@pytest.fixture(scope="session")
async def open_shop(
    servers: TestServers,
    seeded: Database,
    cart_table: None,
    desk: TokenDesk,
    temporal_server: str,
    aws_endpoint: str,
) -> AsyncIterator[Shop]:
    settings = settings_for(
        seeded.app_url,
        servers.valkey.url,
        temporal_server,
        aws_endpoint,
        desk,
        answer_within_seconds=1.0,
        attach_within_seconds=1.5,
    )
    workflows = ScriptedWorkflows()
    async with (
        serving(settings, workflows) as gateway,
        httpx.AsyncClient(base_url=settings.public_url, timeout=15) as http,
    ):
        yield Shop(http, gateway, workflows, desk, seeded.owner_url)


@pytest.fixture
async def shop(open_shop: Shop) -> Shop:
    """A gateway whose workflows do as the test says."""
    open_shop.workflows.reset()
    open_shop.http.cookies.clear()
    return open_shop
