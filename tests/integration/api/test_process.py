"""`python -m api` as a process: it says what is missing, serves, and drains on SIGTERM."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from devstack.ports import free_port
from devstack.testing import Database, TestServers
from tests.integration.api.bench import SKU, checkout_of, settings_for
from tests.integration.api.jwks import TokenDesk


@pytest.fixture
def environment(
    servers: TestServers,
    seeded: Database,
    cart_table: None,
    desk: TokenDesk,
    temporal_server: str,
    tmp_path: Path,
) -> dict[str, str]:
    settings = settings_for(
        seeded.app_url, servers.valkey.url, temporal_server, servers.aws.endpoint, desk, log_level="INFO"
    )
    values = settings.model_dump(mode="json", exclude_none=True)
    secret = {name: getattr(settings, name) for name in values}
    plain = {
        name: value.get_secret_value() if hasattr(value, "get_secret_value") else values[name]
        for name, value in secret.items()
    }
    return {
        **os.environ,
        "PWD": str(tmp_path),
        **{
            f"COMMERCE_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
            for name, value in plain.items()
        },
        "COMMERCE_GATEWAY_METRICS_PORT": str(free_port()),
        "COMMERCE_ANSWER_WITHIN_SECONDS": "0.5",
        "COMMERCE_ATTACH_WITHIN_SECONDS": "2",
    }


@asynccontextmanager
async def gateway(environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """In an empty folder, so that no running stack's settings fill in what is left out."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "api"),
        cwd=environment["PWD"],
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _ready(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                if (await http.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)


async def test_on_sigterm_streams_end_and_calls_under_way_are_answered(
    environment: dict[str, str], desk: TokenDesk
) -> None:
    headers = {"Authorization": f"Bearer {desk.token('paula', 'customer')}"}
    async with (
        gateway(environment) as process,
        httpx.AsyncClient(base_url=environment["COMMERCE_PUBLIC_URL"], timeout=10) as http,
    ):
        await _ready(http)
        cart = (await http.post("/v1/carts", json={"currency": "GBP"}, headers=headers)).json()
        await http.put(f"/v1/carts/{cart['id']}/items/{SKU}", json={"quantity": 1}, headers=headers)
        answer = await http.get("/healthz")
        assert "server" not in answer.headers
        metrics = await http.get(f"http://127.0.0.1:{environment['COMMERCE_GATEWAY_METRICS_PORT']}/metrics")
        assert (
            'commerce_http_requests_total{method="POST",route="/v1/carts",status="201"} 1.0' in metrics.text
        )
        assert (await http.get("/metrics")).status_code == 404
        keyed = {**headers, "Idempotency-Key": "drained"}
        first = await http.post("/v1/checkouts", json=checkout_of(cart["id"]), headers=keyed)
        url = f"/v1/orders/{first.json()['order_id']}/events"
        async with http.stream("GET", url, headers=headers) as stream:
            lines = stream.aiter_lines()
            await anext(lines)
            waiting = asyncio.create_task(
                http.post("/v1/checkouts", json=checkout_of(cart["id"]), headers=keyed)
            )
            await asyncio.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(5):
                async for _ in lines:
                    pass
        drained = await waiting
        assert (first.status_code, drained.status_code) == (202, 409)
        assert drained.json()["type"].endswith("/problems/idempotency-in-flight")
        out, err = await asyncio.wait_for(process.communicate(), 25)
    assert (process.returncode, err) == (0, b"")
    said = [json.loads(line) for line in out.splitlines()]
    access = [line for line in said if line["event"] == "request"]
    assert {line["route"] for line in access} >= {"/v1/carts", "/v1/checkouts"}
    assert all("ada@example.org" not in json.dumps(line) for line in said)


async def test_what_is_missing_from_the_settings_is_named(environment: dict[str, str]) -> None:
    del environment["COMMERCE_STRIPE_SECRET_KEY"], environment["COMMERCE_COGNITO_ISSUER"]
    async with gateway(environment) as process:
        out, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert out == b""
    assert err.decode().splitlines() == [
        "gateway: COMMERCE_COGNITO_ISSUER: Field required",
        "gateway: COMMERCE_STRIPE_SECRET_KEY: Field required",
    ]


async def test_without_its_database_it_does_not_start_and_says_so(environment: dict[str, str]) -> None:
    environment["COMMERCE_DATABASE_URL"] = "postgresql+psycopg://x:y@127.0.0.1:1/none"
    async with gateway(environment) as process:
        out, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert b"the database does not answer" in out


async def test_without_temporal_it_serves_the_catalogue_and_tells_what_is_down(
    environment: dict[str, str],
) -> None:
    environment["COMMERCE_TEMPORAL_ADDRESS"] = "127.0.0.1:1"
    async with (
        gateway(environment),
        httpx.AsyncClient(base_url=environment["COMMERCE_PUBLIC_URL"], timeout=10) as http,
    ):
        async with asyncio.timeout(20):
            while True:
                try:
                    ready = await http.get("/readyz")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        assert (ready.status_code, ready.json()["down"]) == (503, ["temporal"])
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/v1/products", params={"limit": 1})).status_code == 200
        made = await http.post("/v1/carts", json={"currency": "GBP"})
        headers = {"X-Cart-Token": made.json()["cart_token"]}
        await http.put(f"/v1/carts/{made.json()['id']}/items/{SKU}", json={"quantity": 1}, headers=headers)
        answer = await http.post(
            "/v1/checkouts",
            json=checkout_of(made.json()["id"]),
            headers={**headers, "Idempotency-Key": "temporal-down"},
        )
        assert (answer.status_code, answer.json()["status"]) == (202, "processing")
