"""Real servers as fixtures. Each is started on first use, once per test process; a unit test starts none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.servers import temporal
from devstack.servers.emulators import Emulator
from devstack.servers.postgres import Postgres
from devstack.testing import Database, TestServers

for _name in [name for name in os.environ if name.startswith(("AWS_", "COMMERCE_", "DEVSTACK_PORT_"))]:
    del os.environ[_name]
os.environ |= {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def _migrate(owner_url: str) -> None:
    from commerce.persistence.migrate import upgrade

    upgrade(owner_url)


@pytest.fixture(scope="session")
def servers() -> Iterator[TestServers]:
    from commerce.contracts.search import SEARCH_ATTRIBUTES

    pool = TestServers(_migrate, SEARCH_ATTRIBUTES)
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def postgres_server(servers: TestServers) -> Postgres:
    return servers.postgres


@pytest.fixture
def database(servers: TestServers) -> Iterator[Database]:
    """A fresh migrated database for this test alone."""
    with servers.database() as fresh:
        yield fresh


@pytest.fixture
def valkey_url(servers: TestServers) -> str:
    """A server emptied for this test."""
    return servers.empty_valkey()


@pytest.fixture(scope="session")
def temporal_server(servers: TestServers) -> str:
    """Address of a dev server with the project's search attributes, namespace `default`."""
    return servers.temporal.address


@pytest.fixture(scope="session")
def temporal_binary() -> Path:
    """For environments that start a dev server of their own, such as one that skips time."""
    return temporal.binary()


@pytest.fixture(scope="session")
def aws_endpoint(servers: TestServers) -> str:
    return servers.aws.endpoint


@pytest.fixture(scope="session")
def moto_endpoint(servers: TestServers) -> str:
    return servers.moto.endpoint


@pytest.fixture(scope="session")
def gateway_port(servers: TestServers) -> int:
    """Where the emulators deliver their webhooks."""
    return servers.gateway_port


@pytest.fixture
def stripe_emulator(servers: TestServers) -> Iterator[Emulator]:
    """Shared by the tests of a process, without planted faults; payments of earlier tests are still there."""
    yield servers.stripe
    servers.stripe.reset()


@pytest.fixture
def carrier_emulator(servers: TestServers) -> Iterator[Emulator]:
    """Shared by the tests of a process, without planted faults; parcels of earlier tests are still there."""
    yield servers.carrier
    servers.carrier.reset()


@pytest.fixture
def fresh_stripe_emulator(servers: TestServers) -> Iterator[Emulator]:
    """An emulator of this test's own, with an empty journal."""
    emulator = servers.new_stripe()
    child = emulator.start()
    yield emulator
    child.stop()


@pytest.fixture
def fresh_carrier_emulator(servers: TestServers) -> Iterator[Emulator]:
    """An emulator of this test's own, with an empty journal."""
    emulator = servers.new_carrier()
    child = emulator.start()
    yield emulator
    child.stop()
