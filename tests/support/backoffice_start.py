"""Starts a back office: a dev server that can skip time, emulators of its own, all workers and relays."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from temporalio.testing import WorkflowEnvironment

import worker
from commerce.contracts.queues import TaskQueue
from commerce.contracts.search import SEARCH_ATTRIBUTES
from commerce.runtime.codec import data_converter
from commerce.runtime.settings import Mode, WorkerSettings, parse_codec_keys
from devstack import ports
from devstack.aws_resources import CART_TABLE, MAIL_SENDER, TOPIC_PREFIX, ensure_resources
from devstack.processes import Child
from devstack.servers.emulators import Emulator
from devstack.servers.temporal import Temporal, TemporalPorts, binary
from devstack.testing import Database, TestServers
from support.backoffice import BackOffice
from support.faults import PlannedFaults
from support.gates import Gates
from support.mailbox import receiving
from support.shop import CODEC_KEYS

_TERMS = """
    INSERT INTO warehouses VALUES ('main', 'Main');
    INSERT INTO shipping_methods VALUES ('standard', 'Standard')
"""


@asynccontextmanager
async def open_backoffice(
    servers: TestServers, database: Database, planned: PlannedFaults, gates: Gates
) -> AsyncIterator[BackOffice]:
    await asyncio.to_thread(ensure_resources, servers.aws.endpoint)
    hook = ports.free_port()
    stripe = servers.new_stripe(f"http://{ports.HOST}:{hook}/stripe")
    carrier = servers.new_carrier(f"http://{ports.HOST}:{hook}/easypost")
    async with AsyncExitStack() as stack:
        children: dict[str, Child] = {}
        stack.callback(lambda: [child.stop() for child in children.values()])
        for emulator in (stripe, carrier):
            children[emulator.provider] = await asyncio.to_thread(emulator.start)
        env = await stack.enter_async_context(await _environment(servers))
        settings = _settings(servers, database, env, stripe, carrier)
        client = await env.connect_client(data_converter=env.client.data_converter)
        adapters = await stack.enter_async_context(worker.open_adapters(settings, client))
        await stack.enter_async_context(receiving(hook, adapters))
        http = await stack.enter_async_context(httpx.AsyncClient())
        for one in worker.build_workers(
            client, adapters, list(TaskQueue), drain_seconds=1, interceptors=[planned, gates]
        ):
            await stack.enter_async_context(one)
        await stack.enter_async_context(worker.maintain(settings, client, adapters))
        office = BackOffice(database, adapters, client, env, stripe, carrier, http, planned, gates, children)
        office.sql(_TERMS)
        yield office


async def _environment(servers: TestServers) -> WorkflowEnvironment:
    at = TemporalPorts(0, 0, 0, 0)
    options = Temporal(servers.folder, at, servers.folder, SEARCH_ATTRIBUTES, time_skipping=True)
    return await WorkflowEnvironment.start_time_skipping_v2(
        data_converter=data_converter(parse_codec_keys(CODEC_KEYS)),
        dev_server_existing_path=str(binary()),
        dev_server_extra_args=options.server_options(),
    )


def _settings(
    servers: TestServers, database: Database, env: WorkflowEnvironment, stripe: Emulator, carrier: Emulator
) -> WorkerSettings:
    values: dict[str, Any] = {
        "mode": Mode.TEST,
        "database_url": database.app_url,
        "database_pool_size": 20,
        "valkey_url": servers.valkey.url,
        "temporal_address": env.client.service_client.config.target_host,
        "codec_keys": CODEC_KEYS,
        "aws_endpoint_url": servers.aws.endpoint,
        "cart_table": CART_TABLE,
        "sns_topic_prefix": TOPIC_PREFIX,
        "mail_sender": MAIL_SENDER,
        "stripe_api_base": stripe.url,
        "stripe_secret_key": stripe.api_key,
        "stripe_webhook_secret": stripe.webhook_secret,
        "carrier_api_base": f"{carrier.url}/v2",
        "carrier_api_key": carrier.api_key,
        "carrier_webhook_secret": carrier.webhook_secret,
        "sweep_seconds": 86_400,
        "relay_poll_seconds": 0.3,
    }
    return WorkerSettings(_env_file=None, **values)
