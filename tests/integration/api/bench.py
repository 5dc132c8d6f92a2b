"""A gateway on a real port, with what tests need to talk to it and to look behind it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
import psycopg
import uvicorn

from api.app import create_app, open_gateway
from api.state import Gateway
from commerce.runtime.settings import GatewaySettings
from devstack.ports import free_port
from tests.integration.api.jwks import CLIENT_ID, ISSUER, TokenDesk
from tests.integration.api.scripted import ScriptedWorkflows

ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}
SKU, OTHER_SKU = "85123A", "71053"
"""2.55 and 3.39 GBP in the demonstration shop."""


class QuietServer(uvicorn.Server):
    """Leaves the process's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(
    settings: GatewaySettings, workflows: ScriptedWorkflows | None = None
) -> AsyncIterator[Gateway]:
    """The gateway as it is wired for real, on `gateway_port`; `workflows` takes Temporal's place."""
    opened: list[Gateway] = []

    @asynccontextmanager
    async def opener(settings: GatewaySettings) -> AsyncIterator[Gateway]:
        async with open_gateway(settings) as gateway:
            opened.append(replace(gateway, workflows=workflows) if workflows else gateway)
            yield opened[0]

    app = create_app(settings, opener)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=settings.gateway_port, log_config=None, access_log=False
    )
    server = QuietServer(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        if running.done():
            await running
        await asyncio.sleep(0.01)
    try:
        yield opened[0]
    finally:
        opened[0].draining.set()
        server.should_exit = True
        await running


def settings_for(
    database_url: str, valkey_url: str, temporal: str, aws_endpoint: str, desk: TokenDesk, **changes: object
) -> GatewaySettings:
    port = free_port()
    values: dict[str, object] = {
        "mode": "test",
        "database_url": database_url,
        "valkey_url": valkey_url,
        "temporal_address": temporal,
        "codec_keys": "k1:" + "A" * 43 + "=",
        "aws_endpoint_url": aws_endpoint,
        "cart_table": "gateway_carts",
        "cognito_issuer": ISSUER,
        "cognito_jwks_url": desk.jwks_url,
        "cognito_client_id": CLIENT_ID,
        "stripe_secret_key": "sk_test_devstack",
        "stripe_webhook_secret": "whsec_devstack",
        "carrier_webhook_secret": "whsec_devstack",
        "carrier_api_key": "EZTK_devstack",
        "gateway_port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "answer_within_seconds": 8.0,
        **changes,
    }
    return GatewaySettings(_env_file=None, **values)  # type: ignore[arg-type]  # pydantic reads the values


@dataclass(frozen=True)
class Shop:
    """One gateway, its people, and the database behind it."""

    http: httpx.AsyncClient
    gateway: Gateway
    workflows: ScriptedWorkflows
    desk: TokenDesk
    owner_url: str

    def person(self, subject: str = "ada", *groups: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.desk.token(subject, *(groups or ('customer',)))}"}

    async def cart(self, headers: dict[str, str], items: dict[str, int] | None = None) -> dict[str, object]:
        made = await self.http.post("/v1/carts", json={"currency": "GBP"}, headers=headers)
        assert made.status_code == 201, made.text
        cart: dict[str, object] = made.json()
        if "Authorization" not in headers:
            headers["X-Cart-Token"] = str(cart["cart_token"])
        for sku, quantity in (items or {SKU: 2}).items():
            put = await self.http.put(
                f"/v1/carts/{cart['id']}/items/{sku}", json={"quantity": quantity}, headers=headers
            )
            assert put.status_code == 200, put.text
        return cart

    async def check_out(
        self, cart: object, headers: dict[str, str], key: str, **changes: object
    ) -> httpx.Response:
        return await self.http.post(
            "/v1/checkouts",
            json={**checkout_of(cart), **changes},
            headers={**headers, "Idempotency-Key": key},
        )

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.owner_url.replace("+psycopg", "")) as connection:
            return list(connection.execute(query, values).fetchall())

    def count(self, table: str) -> int:
        return int(str(self.rows(f"SELECT count(*) FROM {table}")[0][0]))


def checkout_of(cart_id: object) -> dict[str, object]:
    return {
        "cart_id": cart_id,
        "email": "ada@example.org",
        "shipping_address": ADDRESS,
        "shipping_method": "standard",
        "payment": {"provider": "stripe", "token": "pm_card_visa"},
    }


def slug(answer: httpx.Response) -> str:
    """The stable end of a problem's type; fails for an answer that is no problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).rpartition("/problems/")[2]


def pointers(answer: httpx.Response) -> list[str]:
    return [fault["pointer"] for fault in answer.json()["errors"]]
