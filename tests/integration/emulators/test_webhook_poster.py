"""The emulators' HTTP client for webhooks, against servers that behave and that do not."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from devstack.emulators.common.post import Poster

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Poster]:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(closing, "127.0.0.1", 0)
    poster = Poster(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=1", timeout=0.3)
    yield poster
    await poster.close()
    server.close()
    await server.wait_closed()


async def take(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


async def test_the_body_and_headers_arrive_and_the_connection_is_kept() -> None:
    requests: list[bytes] = []
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for _ in range(2):
            requests.append(await take(reader))
            writer.write(OK)

    async with serving(handler) as poster:
        assert await poster.post(b'{"a":1}', {"x-signature": "s"}) == 200
        assert await poster.post(b"2", {}) == 200

    assert requests[0].startswith(b"POST /hook?a=1 HTTP/1.1\r\n")
    assert b"\r\nx-signature: s\r\n" in requests[0]
    assert requests[0].endswith(b'\r\n\r\n{"a":1}')
    assert connections == 1


async def test_a_connection_closed_while_idle_costs_no_delivery() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(reader)
        writer.write(OK)

    async with serving(handler) as poster:
        assert [await poster.post(b"x", {}) for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", 503),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", None),
        (b"220 mail.example ESMTP\r\n\r\n", None),
        (b"hello\r\n\r\n", None),
        (b"", None),
    ],
)
async def test_an_answer_is_its_status_or_nothing(answer: bytes, status: int | None) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(reader)
        writer.write(answer)

    async with serving(handler) as poster:
        assert await poster.post(b"x", {}) == status


async def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(reader)
        await reader.read()

    async with serving(handler) as poster:
        started = time.monotonic()
        assert await poster.post(b"x", {}) is None

    assert 0.25 < time.monotonic() - started < 2


async def test_nobody_listening_is_no_answer() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(reader)

    async with serving(handler) as poster:
        pass

    assert await poster.post(b"x", {}) is None


def test_an_address_that_is_not_http_is_refused() -> None:
    with pytest.raises(ValueError, match="not an HTTP address"):
        Poster("ftp://127.0.0.1/hook", 1.0)
