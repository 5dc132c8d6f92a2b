"""`/_emulator/` routes of the carrier alone: the world's speed, parcels by hand, events sent again."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.emulators.carrier.documents import Event, Tracker, TrackerStatus
from devstack.emulators.carrier.errors import Refusal
from devstack.emulators.carrier.mover import Mover
from devstack.emulators.carrier.plans import Fate
from devstack.emulators.carrier.world import World
from devstack.emulators.common.control import json_body
from devstack.emulators.common.journal import Journal
from devstack.emulators.common.jsonvalue import BadInput, number, text
from devstack.emulators.common.webhooks import WebhookSender


class CarrierControl:
    def __init__(self, journal: Journal, world: World, mover: Mover, sender: WebhookSender) -> None:
        self._journal = journal
        self._world = world
        self._mover = mover
        self._sender = sender

    def routes(self) -> list[Route]:
        return [
            Route("/_emulator/journal", self.read_journal),
            Route("/_emulator/speed", self.read_speed),
            Route("/_emulator/speed", self.set_speed, methods=["POST"]),
            Route("/_emulator/trackers/{key}/advance", self.advance, methods=["POST"]),
            Route("/_emulator/parcels", self.set_fate, methods=["POST"]),
            Route("/_emulator/events/{key}/resend", self.resend, methods=["POST"]),
        ]

    async def read_journal(self, request: Request) -> Response:
        wanted = request.query_params.get("reference")
        entries = self._journal.entries()
        return JSONResponse({"data": [e for e in entries if wanted is None or e.get("reference") == wanted]})

    async def read_speed(self, request: Request) -> Response:
        step, handover = self._mover.speed
        return JSONResponse({"step_seconds": step, "handover_seconds": handover})

    async def set_speed(self, request: Request) -> Response:
        """`null` stands still; a field left out stays as it is."""
        body = await json_body(request)
        step, handover = self._mover.speed
        if "step_seconds" in body:
            step = None if body["step_seconds"] is None else number(body, "step_seconds", 0)
        if "handover_seconds" in body:
            handover = None if body["handover_seconds"] is None else number(body, "handover_seconds", 0)
        self._mover.set_speed(step, handover)
        return await self.read_speed(request)

    async def advance(self, request: Request) -> Response:
        """To `status` by hand, in any order; without one the next scan of the parcel's fate."""
        body = await json_body(request)
        tracker = _found(self._world, request.path_params["key"])
        if "status" not in body:
            moved = self._world.step(tracker)
        else:
            message = text(body, "message") if "message" in body else None
            try:
                moved = self._world.advance(tracker, TrackerStatus(text(body, "status")), message)
            except (ValueError, KeyError) as error:
                raise BadInput(f"no scan reports the status {body['status']!r}") from error
        self._mover.watch(moved)
        return JSONResponse(moved.model_dump(mode="json"))

    async def set_fate(self, request: Request) -> Response:
        """How the parcel of a reference will go: before its label is bought, or while it is under way."""
        body = await json_body(request)
        try:
            fate = Fate(text(body, "fate"))
        except ValueError as error:
            raise BadInput(f"fate must be one of: {', '.join(Fate)}") from error
        reference = text(body, "reference")
        self._world.set_fate(reference, fate)
        tracker = self._world.state.tracker_by_key(reference)
        if tracker is not None:
            self._mover.watch(tracker)
        return JSONResponse({"reference": reference, "fate": fate.value}, status_code=201)

    async def resend(self, request: Request) -> Response:
        """Deliver an event once more, also one that was lost."""
        event = self._world.state.events.get(request.path_params["key"])
        if event is None:
            raise BadInput("no such event")
        send_event(self._sender, event, plain=True)
        return Response(status_code=202)


def send_event(sender: WebhookSender, event: Event, *, plain: bool = False) -> None:
    sender.send(event.id, event.description, event.model_dump_json().encode(), plain=plain)


def _found(world: World, key: str) -> Tracker:
    try:
        return world.tracker(key)
    except Refusal as error:
        raise BadInput("no such parcel") from error
