"""Puts the carrier together: state read back from the journal, API, control routes, label pictures."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from devstack.emulators.carrier import errors
from devstack.emulators.carrier.control import CarrierControl, send_event
from devstack.emulators.carrier.documents import Event
from devstack.emulators.carrier.label import label_png
from devstack.emulators.carrier.mover import Mover
from devstack.emulators.carrier.operations import CarrierApi
from devstack.emulators.carrier.signing import signer
from devstack.emulators.carrier.world import World
from devstack.emulators.common.control import bad_input, control_routes
from devstack.emulators.common.journal import Journal
from devstack.emulators.common.jsonvalue import BadInput
from devstack.emulators.common.webhooks import Delivery, WebhookSender


@dataclass(frozen=True)
class CarrierConfig:
    """`public_url` is where clients reach this process; without `webhook_url` events stay here."""

    data_dir: Path
    public_url: str
    api_key: str
    webhook_url: str | None
    webhook_secret: str
    step_seconds: float | None
    handover_seconds: float | None = None
    webhook_retry_scale: float = 0.05


class Carrier:
    def __init__(self, config: CarrierConfig) -> None:
        self.journal = Journal(config.data_dir / "journal.jsonl")
        self.sender = WebhookSender(
            config.webhook_url, signer(config.webhook_secret), self._settled, config.webhook_retry_scale
        )
        self.world = World(self.journal, config.public_url, self._announce)
        self.mover = Mover(self.world, time.monotonic, config.step_seconds, config.handover_seconds)
        self.api = CarrierApi(self.world, self.mover, config.api_key)
        self.control = CarrierControl(self.journal, self.world, self.mover, self.sender)

    async def run(self) -> None:
        """Send what a stop left unsent, then move the parcels until cancelled."""
        for event in list(self.world.state.unsettled.values()):
            send_event(self.sender, event)
        await self.mover.run()

    async def close(self) -> None:
        await self.sender.close()
        self.journal.close()

    def _announce(self, event: Event) -> None:
        send_event(self.sender, event)

    def _settled(self, delivery: Delivery) -> None:
        self.world.webhook_settled(
            delivery.event_id, delivery.event_type, delivery.state.value, delivery.attempts
        )


def create_app(config: CarrierConfig) -> Starlette:
    carrier = Carrier(config)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        moving = asyncio.create_task(carrier.run())
        yield
        moving.cancel()
        await asyncio.gather(moving, return_exceptions=True)
        await carrier.close()

    async def label(request: Request) -> Response:
        code = request.path_params["code"]
        if carrier.world.state.tracker_by_key(code) is None:
            return _nothing_here(request)
        return Response(label_png(code), media_type="image/png")

    async def track(request: Request) -> Response:
        tracker = carrier.world.state.tracker_by_key(request.path_params["code"])
        if tracker is None:
            return _nothing_here(request)
        scans = [f"{one.datetime}  {one.status.value:<20}  {one.message}" for one in tracker.tracking_details]
        return PlainTextResponse("\n".join([f"{tracker.carrier} {tracker.tracking_code}", *scans]) + "\n")

    routes = [
        *carrier.control.routes(),
        *control_routes("carrier", carrier.journal, carrier.api.faults, lambda: carrier.sender),
        *carrier.api.routes(),
        Route("/labels/{code}.png", label),
        Route("/track/{code}", track),
        Route("/{rest:path}", _nothing_here, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]
    return Starlette(routes=routes, exception_handlers={BadInput: bad_input}, lifespan=lifespan)


def _nothing_here(request: Request) -> Response:
    refusal = errors.not_found()
    return JSONResponse(refusal.to_json(), refusal.status)
