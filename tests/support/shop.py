"""The whole shop in one test process: gateway, workers and relays on real servers, over real HTTP."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from temporalio.client import Client
from temporalio.worker import Interceptor

import worker
from api.app import create_app
from commerce.contracts import ids
from commerce.contracts.queues import TaskQueue
from commerce.runtime.settings import GatewaySettings, Mode, WorkerSettings
from commerce.runtime.temporal import connect
from devstack import cognito, ports
from devstack.aws_resources import CART_TABLE, MAIL_SENDER, TOPIC_PREFIX, Resources, ensure_resources
from devstack.cognito import UserPool
from devstack.processes import Child
from devstack.seed import seed
from devstack.servers.emulators import Emulator
from devstack.servers.temporal import Temporal
from devstack.testing import Database, TestServers

CODEC_KEYS = "test:" + "a" * 43 + "="
PASSWORD = "Test-Passw0rd!"

ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}


@dataclass
class Parts:
    """What a shop has to itself, so that two of them can run in one test process."""

    temporal: Temporal
    stripe: Emulator
    carrier: Emulator
    gateway_port: int
    children: dict[str, Child] = field(default_factory=dict)

    @classmethod
    def of(cls, servers: TestServers) -> "Parts":
        port = ports.free_port()
        hooks = f"http://127.0.0.1:{port}/v1/webhooks"
        return cls(
            temporal=servers.new_temporal(),
            stripe=servers.new_stripe(f"{hooks}/stripe"),
            carrier=servers.new_carrier(f"{hooks}/carriers/easypost"),
            gateway_port=port,
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            for name, server in (
                ("temporal", self.temporal),
                ("stripe", self.stripe),
                ("carrier", self.carrier),
            ):
                self.children[name] = server.start()
            yield
        finally:
            for child in reversed(self.children.values()):
                child.stop()

    def restart_temporal(self) -> None:
        """Kills the server, as a crash would, and starts it again on the same file and ports."""
        self.children["temporal"].signal(signal.SIGKILL)
        self.children["temporal"].stop()
        self.children["temporal"] = self.temporal.start()


@dataclass
class Shop:
    """A running shop as its clients see it."""

    http: httpx.AsyncClient
    database: Database
    stripe: Emulator
    carrier: Emulator
    temporal: Client
    resources: Resources
    aws_endpoint: str
    environment: dict[str, str]
    parts: Parts
    tokens: dict[str, str] = field(default_factory=dict)

    def as_(self, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[role]}"}

    async def cart(self, items: dict[str, int], role: str = "customer", currency: str = "GBP") -> str:
        created = await self.http.post("/v1/carts", json={"currency": currency}, headers=self.as_(role))
        assert created.status_code == 201, created.text
        cart_id: str = created.json()["id"]
        for sku, quantity in items.items():
            put = await self.http.put(
                f"/v1/carts/{cart_id}/items/{sku}", json={"quantity": quantity}, headers=self.as_(role)
            )
            assert put.status_code == 200, put.text
        return cart_id

    async def checkout(
        self, cart_id: str, key: str, token: str = "pm_card_visa", role: str = "customer", **fields: Any
    ) -> httpx.Response:
        body = {
            "cart_id": cart_id,
            "email": "ada@example.com",
            "shipping_address": ADDRESS,
            "shipping_method": "standard",
            "payment": {"provider": "stripe", "token": token},
            **fields,
        }
        return await self.http.post(
            "/v1/checkouts", json=body, headers={**self.as_(role), "Idempotency-Key": key}
        )

    async def buy(self, items: dict[str, int], key: str, **fields: Any) -> httpx.Response:
        return await self.checkout(await self.cart(items), key, **fields)

    async def order(self, order_id: str, role: str = "support") -> dict[str, Any]:
        answer = await self.http.get(f"/v1/orders/{order_id}", headers=self.as_(role))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def wait(self, order_id: str, status: str, seconds: float = 30.0) -> dict[str, Any]:
        return await self.wait_for(order_id, lambda order: order["status"] == status, seconds)

    async def wait_for(self, order_id: str, reached: Any, seconds: float = 30.0) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while True:
                order = await self.order(order_id)
                if reached(order):
                    return order
                await asyncio.sleep(0.1)

    async def available(self, sku: str) -> int:
        answer = await self.http.get(f"/v1/stock/{sku}", headers=self.as_("warehouse"))
        assert answer.status_code == 200, answer.text
        available: int = answer.json()["available"]
        return available

    async def broken_invariants(self) -> list[dict[str, Any]]:
        answer = await self.http.get("/v1/admin/invariants", headers=self.as_("admin"))
        assert answer.status_code == 200, answer.text
        return [item for item in answer.json()["items"] if not item["ok"]]

    async def journal(self, order_id: str) -> list[dict[str, Any]]:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{self.stripe.url}/_emulator/journal", params={"order_id": order_id})
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    async def fault(self, emulator: Emulator, **fault: Any) -> None:
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{emulator.url}/_emulator/faults", json=fault)
        assert answer.status_code < 300, answer.text

    async def carrier_speed(self, step_seconds: float | None, handover_seconds: float | None = None) -> None:
        async with httpx.AsyncClient() as client:
            answer = await client.post(
                f"{self.carrier.url}/_emulator/speed",
                json={"step_seconds": step_seconds, "handover_seconds": handover_seconds},
            )
        assert answer.status_code == 200, answer.text

    async def provider_ref(self, order_id: str) -> str:
        """The order's payment intent, from the provider's own journal."""
        refs: set[str] = {entry["payment_intent"] for entry in await self.journal(order_id)}
        assert len(refs) == 1, refs
        return refs.pop()

    async def authenticate(self, order_id: str, outcome: str) -> None:
        """What the shopper does at the bank."""
        provider_ref = await self.provider_ref(order_id)
        async with httpx.AsyncClient() as client:
            answer = await client.post(
                f"{self.stripe.url}/_emulator/payment_intents/{provider_ref}/authenticate",
                json={"outcome": outcome},
            )
        assert answer.status_code == 200, answer.text

    async def workflow_status(self, order_id: str) -> str:
        described = await self.temporal.get_workflow_handle(ids.order_workflow_id(order_id)).describe()
        return described.status.name if described.status else "?"


def settings_of(servers: TestServers, database: Database, pool: UserPool, parts: "Parts") -> dict[str, str]:
    """Environment of a process of the shop, by setting name."""
    stripe, carrier = parts.stripe, parts.carrier
    ours = {
        "MODE": Mode.TEST.value,
        "DATABASE_URL": database.app_url,
        "VALKEY_URL": servers.empty_valkey(),
        "TEMPORAL_ADDRESS": parts.temporal.address,
        "CODEC_KEYS": CODEC_KEYS,
        "AWS_ENDPOINT_URL": servers.aws.endpoint,
        "COGNITO_CLIENT_ID": pool.client_id,
        "COGNITO_ISSUER": pool.issuer,
        "COGNITO_JWKS_URL": pool.jwks_url,
        "CART_TABLE": CART_TABLE,
        "SNS_TOPIC_PREFIX": TOPIC_PREFIX,
        "MAIL_SENDER": MAIL_SENDER,
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_SECRET_KEY": stripe.api_key,
        "STRIPE_WEBHOOK_SECRET": stripe.webhook_secret,
        "CARRIER_API_BASE": f"{carrier.url}/v2",
        "CARRIER_API_KEY": carrier.api_key,
        "CARRIER_WEBHOOK_SECRET": carrier.webhook_secret,
        "GATEWAY_PORT": str(parts.gateway_port),
        "GATEWAY_METRICS_PORT": str(ports.free_port()),
        "WORKER_METRICS_PORT": str(ports.free_port()),
        "PUBLIC_URL": f"http://127.0.0.1:{parts.gateway_port}",
        "DRAIN_SECONDS": "1",
        "SWEEP_SECONDS": "2",
        "LOG_LEVEL": "WARNING",
    }
    return {f"COMMERCE_{name}": value for name, value in ours.items()}


def _fields(environment: dict[str, str]) -> dict[str, Any]:
    return {name.removeprefix("COMMERCE_").lower(): value for name, value in environment.items()}


@asynccontextmanager
async def open_shop(servers: TestServers, database: Database, **overrides: str) -> AsyncIterator[Shop]:
    """Gateway and data, without workers: `open_worker` adds them."""
    await asyncio.to_thread(seed, database.owner_url)
    resources = await asyncio.to_thread(ensure_resources, servers.aws.endpoint)
    pool = await asyncio.to_thread(cognito.ensure_pool, servers.aws.endpoint, PASSWORD)
    parts = Parts.of(servers)
    environment = settings_of(servers, database, pool, parts)
    environment |= {f"COMMERCE_{name.upper()}": value for name, value in overrides.items()}
    settings = GatewaySettings(_env_file=None, **_fields(environment))
    async with AsyncExitStack() as stack:
        stack.enter_context(parts.running())
        await stack.enter_async_context(serving(settings))
        client = await connect(settings)
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.gateway_port}", timeout=30.0)
        )
        shop = Shop(
            http=http,
            database=database,
            stripe=parts.stripe,
            carrier=parts.carrier,
            temporal=client,
            resources=resources,
            aws_endpoint=servers.aws.endpoint,
            environment=environment,
            parts=parts,
        )
        shop.tokens = await asyncio.to_thread(_sign_everybody_in, servers.aws.endpoint, pool)
        await shop.carrier_speed(0.1, 0.3)
        yield shop


def _sign_everybody_in(endpoint: str, pool: UserPool) -> dict[str, str]:
    return {
        person: cognito.sign_in(endpoint, pool.id, pool.client_id, person, PASSWORD)
        for person in cognito.PEOPLE
    }


@asynccontextmanager
async def serving(settings: GatewaySettings) -> AsyncIterator[None]:
    """The gateway under uvicorn in this loop, on the port that the emulators send their webhooks to."""
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings), host="127.0.0.1", port=settings.gateway_port, log_config=None, lifespan="on"
        )
    )
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    with server.capture_signals():
        task = asyncio.create_task(server._serve(None))
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError("the gateway did not start")
            await asyncio.sleep(0.02)
        try:
            yield
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def open_worker(
    shop: Shop, *, interceptors: Sequence[Interceptor] = (), relays: bool = True
) -> AsyncIterator[worker.Adapters]:
    """All queues in this process, with the relays and the sweep."""
    settings = WorkerSettings(_env_file=None, **_fields(shop.environment))
    client = await connect(settings)
    async with worker.open_adapters(settings, client) as adapters, AsyncExitStack() as running:
        workers = worker.build_workers(
            client, adapters, list(TaskQueue), drain_seconds=settings.drain_seconds, interceptors=interceptors
        )
        for one in workers:
            await running.enter_async_context(one)
        if relays:
            await running.enter_async_context(worker.maintain(settings, client, adapters))
        yield adapters
