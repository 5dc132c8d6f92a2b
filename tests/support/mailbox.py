"""Where the emulators' webhooks arrive in tests without a gateway: verified, stored, acknowledged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import worker
from commerce.contracts.context import RequestContext
from commerce.domain.messaging import received
from commerce.domain.ports import Carrier, PaymentProvider
from devstack import ports

_CONTEXT = RequestContext("req_webhook", "provider:test")


@asynccontextmanager
async def receiving(port: int, adapters: worker.Adapters) -> AsyncIterator[None]:
    """Serves `/stripe` and `/easypost` in this loop while the block runs."""
    senders: dict[str, PaymentProvider | Carrier] = {
        **adapters.providers,
        adapters.carrier.name: adapters.carrier,
    }

    async def take(request: Request) -> Response:
        event = senders[request.path_params["sender"]].parse_webhook(await request.body(), request.headers)
        async with adapters.database.transaction(_CONTEXT) as tx:
            await tx.inbox.store(received(event))
        return Response(status_code=200)

    app = Starlette(routes=[Route("/{sender}", take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, host=ports.HOST, port=port, log_config=None, lifespan="off"))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    task = asyncio.create_task(server._serve(None))
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        await task
