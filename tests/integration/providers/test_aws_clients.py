import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from commerce.contracts.ids import CART, new_id
from commerce.domain.errors import ProviderOutcomeUnknown, ProviderUnavailable
from commerce.providers.aws import AwsClients, AwsConfig, DynamoCarts, SesMailer
from tests.integration.providers.aws_bench import REGION


class Silence:
    """Takes connections and never answers."""

    def __init__(self) -> None:
        self.calls = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._take, "127.0.0.1", 0)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        self._writers.append(writer)
        await reader.read()

    def end(self) -> None:
        for writer in self._writers:
            writer.close()


@pytest.fixture
async def silence() -> AsyncIterator[tuple[Silence, AwsClients]]:
    silence = Silence()
    server = await silence.serve()
    endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    clients = AwsClients(AwsConfig(REGION, endpoint, read_timeout=0.2, threads=2))
    yield silence, clients
    clients.close()
    silence.end()
    server.close()
    await server.wait_closed()


async def test_a_silent_service_leaves_a_write_open_after_one_try(
    silence: tuple[Silence, AwsClients],
) -> None:
    service, clients = silence

    with pytest.raises(ProviderOutcomeUnknown):
        await SesMailer(clients.ses, "shop@example.com").send(
            to="a@example.org", subject="s", text="t", html="h", reference="ntf_1"
        )

    assert service.calls == 1


async def test_a_silent_service_leaves_a_read_without_effect(silence: tuple[Silence, AwsClients]) -> None:
    service, clients = silence

    with pytest.raises(ProviderUnavailable):
        await DynamoCarts(clients.dynamodb, "carts", timedelta(days=30)).get(new_id(CART))

    assert service.calls == 1


async def test_a_service_has_threads_of_its_own_and_no_more_than_allowed() -> None:
    clients = AwsClients(AwsConfig(REGION, "http://127.0.0.1:9", threads=2))
    running, most, lock = 0, 0, threading.Lock()
    released = threading.Event()

    def busy() -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        released.wait(5)
        with lock:
            running -= 1
        return threading.current_thread().name

    calls = [asyncio.ensure_future(clients.ses.read(busy)) for _ in range(5)]
    other = await clients.dynamodb.read(lambda: threading.current_thread().name)
    released.set()
    names = set(await asyncio.gather(*calls))
    clients.close()

    assert other.startswith("aws-dynamodb")
    assert most == 2
    assert all(name.startswith("aws-ses") for name in names)
