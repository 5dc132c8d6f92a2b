"""Puts the emulator together as one ASGI application."""

import asyncio
import contextlib
import functools
import hashlib
import hmac
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.emulators.common.control import bad_input, control_routes
from devstack.emulators.common.faults import FaultTable
from devstack.emulators.common.journal import Journal
from devstack.emulators.common.jsonvalue import BadInput
from devstack.emulators.common.webhooks import WebhookSender
from devstack.emulators.stripe.control import Controls
from devstack.emulators.stripe.engine import Engine
from devstack.emulators.stripe.errors import ApiError
from devstack.emulators.stripe.gate import Gate
from devstack.emulators.stripe.operations import OPERATIONS, route
from devstack.emulators.stripe.render import Renderer
from devstack.emulators.stripe.settings import Clock, Settings
from devstack.emulators.stripe.store import Store
from devstack.emulators.stripe.work import World

API_VERSION = "2026-10-28.endive"


@dataclass(frozen=True)
class Options:
    """`base_url` is how a shopper's browser reaches the emulator."""

    data_dir: Path
    base_url: str
    api_key: str
    webhook_url: str | None
    webhook_secret: str
    settings: Settings
    api_version: str = API_VERSION


def signer(secret: str, now: Callable[[], float] = time.time) -> Callable[[bytes, bool], Mapping[str, str]]:
    """Stripe's scheme: HMAC-SHA256 over `timestamp.body`."""

    def sign(payload: bytes, forged: bool) -> Mapping[str, str]:
        stamp = int(now())
        key = f"not-{secret}" if forged else secret
        digest = hmac.new(key.encode(), f"{stamp}.".encode() + payload, hashlib.sha256).hexdigest()
        return {"Stripe-Signature": f"t={stamp},v1={digest}", "User-Agent": "Stripe/1.0 (emulator)"}

    return sign


def build(options: Options) -> Starlette:
    options.data_dir.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    journal = Journal(options.data_dir / "journal.jsonl", clock.now)
    store = Store(options.data_dir / "state.sqlite", journal)
    clock.offset = store.clock_offset()
    world = World(store, journal, options.settings, clock, Renderer(options.base_url), options.api_version)
    sender = WebhookSender(
        options.webhook_url,
        signer(options.webhook_secret),
        lambda delivery: store.settle_event(delivery.event_id),
        options.settings.webhook_retry_scale,
    )
    engine = Engine(world, sender)
    faults = FaultTable(frozenset(operation.name for operation in OPERATIONS))
    gate = Gate(engine, faults, options.api_key)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        engine.resume()
        due = asyncio.create_task(engine.work_through_due())
        due.add_done_callback(_report)
        yield
        due.cancel()
        await sender.close()
        store.close()
        journal.close()

    routes = [
        *(
            Route(route(operation), functools.partial(gate.handle, operation), methods=[operation.method])
            for operation in OPERATIONS
        ),
        *Controls(engine).routes(),
        *control_routes("stripe", journal, faults, lambda: sender),
    ]
    handlers = {BadInput: bad_input, 404: _unknown_url, 405: _unknown_url}
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)


async def _unknown_url(request: Request, error: Exception) -> Response:
    message = (
        f"Unrecognized request URL ({request.method}: {request.url.path}). The emulator knows the part of "
        "the API that card payments need."
    )
    return JSONResponse({"error": ApiError(message).body()}, status_code=404)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logging.getLogger("uvicorn.error").error("due tasks stopped", exc_info=error)
