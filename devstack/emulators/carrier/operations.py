"""The v2 API: each operation answers JSON and may be struck by a fault before or after its effect."""

import asyncio
import base64
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.emulators.carrier import errors, listing
from devstack.emulators.carrier.documents import Shipment
from devstack.emulators.carrier.mover import Mover
from devstack.emulators.carrier.world import World, shipment_view
from devstack.emulators.common.control import CutResponse, Endpoint, hold_then_cut, json_body
from devstack.emulators.common.faults import Fault, FaultMode, FaultTable
from devstack.emulators.common.jsonvalue import JSON, BadInput

Answer: TypeAlias = tuple[int, dict[str, JsonValue]]

_FAULT_MODES = frozenset(FaultMode) - {FaultMode.WRONG_AMOUNT}


@dataclass(frozen=True)
class Call:
    """One request: `key` is the id, code or reference in its path, empty where the path has none."""

    key: str
    body: Mapping[str, JSON]
    query: Mapping[str, str]


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    run: Callable[[Call], Answer]


class CarrierApi:
    def __init__(self, world: World, mover: Mover, api_key: str) -> None:
        self._world = world
        self._mover = mover
        self._api_key = api_key
        self.faults = FaultTable(frozenset(one.name for one in self._operations()), _FAULT_MODES)

    def routes(self) -> list[Route]:
        return [
            Route(operation.path, self._endpoint(operation), methods=[operation.method])
            for operation in self._operations()
        ]

    def _operations(self) -> list[Operation]:
        return [
            Operation("shipments.create", "POST", "/v2/shipments", self._create),
            Operation("shipments.list", "GET", "/v2/shipments", self._list),
            Operation("shipments.retrieve", "GET", "/v2/shipments/{key}", self._retrieve),
            Operation("shipments.rerate", "POST", "/v2/shipments/{key}/rerate", self._rates),
            Operation("shipments.buy", "POST", "/v2/shipments/{key}/buy", self._buy),
            Operation("shipments.refund", "POST", "/v2/shipments/{key}/refund", self._refund),
            Operation("rates.retrieve", "GET", "/v2/rates/{key}", self._rate),
            Operation("trackers.create", "POST", "/v2/trackers", self._create_tracker),
            Operation("trackers.list", "GET", "/v2/trackers", self._list_trackers),
            Operation("trackers.retrieve", "GET", "/v2/trackers/{key}", self._tracker),
            Operation("events.list", "GET", "/v2/events", self._list_events),
            Operation("events.retrieve", "GET", "/v2/events/{key}", self._event),
        ]

    def _endpoint(self, operation: Operation) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            try:
                self._authenticate(request)
                call = await _read_call(request)
                fault = self.faults.take(operation.name, self._subject(call))
                early = await _before(fault)
                if early is not None:
                    return early
                return await _after(fault, _carry_out(operation, call))
            except errors.Refusal as refusal:
                return JSONResponse(refusal.to_json(), refusal.status)

        return endpoint

    def _authenticate(self, request: Request) -> None:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                credentials = base64.b64decode(credentials, validate=True).decode().partition(":")[0]
            except ValueError:
                raise errors.unauthorized() from None
        elif scheme.lower() != "bearer":
            raise errors.unauthorized()
        if not secrets.compare_digest(credentials.encode(), self._api_key.encode()):
            raise errors.unauthorized()

    def _subject(self, call: Call) -> dict[str, JSON]:
        """What a fault's `match` is compared with; `reference` is the shipment's, wherever it is known."""
        draft = call.body.get("shipment")
        reference = draft.get("reference") if isinstance(draft, Mapping) else None
        found = self._world.state.shipments.get(call.key)
        if found is not None:
            reference = found.reference
        return {"key": call.key, "reference": reference or call.key, "body": call.body}

    def _create(self, call: Call) -> Answer:
        return 201, self._view(self._world.create_shipment(call.body, time.time()))

    def _list(self, call: Call) -> Answer:
        bought = call.query.get("purchased", "true").lower() == "true"
        shipments = self._world.state.shipments.values()
        wanted = [shipment for shipment in shipments if (shipment.postage_label is not None) is bought]
        page = listing.page(wanted, call.query)
        return 200, {"shipments": [self._view(item) for item in page.items], "has_more": page.has_more}

    def _retrieve(self, call: Call) -> Answer:
        return 200, self._view(self._world.shipment(call.key))

    def _rates(self, call: Call) -> Answer:
        rates = self._world.shipment(call.key).rates
        return 200, {"rates": [rate.model_dump(mode="json") for rate in rates]}

    def _buy(self, call: Call) -> Answer:
        shipment = self._world.shipment(call.key)
        rate = call.body.get("rate")
        rate_id = rate.get("id") if isinstance(rate, Mapping) else None
        if not isinstance(rate_id, str):
            raise errors.required("rate")
        bought = self._world.buy(shipment, rate_id)
        self._watch(bought)
        return 200, self._view(bought)

    def _refund(self, call: Call) -> Answer:
        refunded = self._world.refund(self._world.shipment(call.key))
        self._watch(refunded)
        return 200, self._view(refunded)

    def _rate(self, call: Call) -> Answer:
        for shipment in self._world.state.shipments.values():
            for rate in shipment.rates:
                if rate.id == call.key:
                    return 200, rate.model_dump(mode="json")
        raise errors.not_found()

    def _create_tracker(self, call: Call) -> Answer:
        draft = call.body.get("tracker")
        code = draft.get("tracking_code") if isinstance(draft, Mapping) else None
        if not isinstance(draft, Mapping) or not isinstance(code, str) or not code:
            raise errors.required("tracking_code")
        carrier = draft.get("carrier")
        tracker = self._world.create_tracker(code, carrier if isinstance(carrier, str) else "RoyalMail")
        return 201, tracker.model_dump(mode="json")

    def _list_trackers(self, call: Call) -> Answer:
        code = call.query.get("tracking_code")
        trackers = self._world.state.trackers.values()
        page = listing.page([one for one in trackers if code in {None, one.tracking_code}], call.query)
        return 200, {
            "trackers": [one.model_dump(mode="json") for one in page.items],
            "has_more": page.has_more,
        }

    def _tracker(self, call: Call) -> Answer:
        return 200, self._world.tracker(call.key).model_dump(mode="json")

    def _list_events(self, call: Call) -> Answer:
        page = listing.page(list(self._world.state.events.values()), call.query)
        events = [event.model_dump(mode="json", exclude={"result"}) for event in page.items]
        return 200, {"events": [*events], "has_more": page.has_more}

    def _event(self, call: Call) -> Answer:
        event = self._world.state.events.get(call.key)
        if event is None:
            raise errors.not_found()
        return 200, event.model_dump(mode="json")

    def _watch(self, shipment: Shipment) -> None:
        tracker = self._world.state.tracker_of(shipment)
        if tracker is not None:
            self._mover.watch(tracker)

    def _view(self, shipment: Shipment) -> dict[str, JsonValue]:
        return shipment_view(self._world.state, shipment)


def _carry_out(operation: Operation, call: Call) -> Response:
    """A refusal is an answer too: a fault may lose it like any other."""
    try:
        status, body = operation.run(call)
    except errors.Refusal as refusal:
        return JSONResponse(refusal.to_json(), refusal.status)
    return JSONResponse(body, status)


async def _read_call(request: Request) -> Call:
    try:
        body = await json_body(request)
    except BadInput as error:
        raise errors.malformed() from error
    return Call(request.path_params.get("key", ""), body, request.query_params)


async def _before(fault: Fault | None) -> Response | None:
    match fault:
        case Fault(mode=FaultMode.ERROR_BEFORE):
            raise errors.server_error()
        case Fault(mode=FaultMode.RATE_LIMIT):
            headers = {"retry-after": str(max(1, round(fault.seconds)))}
            return JSONResponse(errors.rate_limited().to_json(), 429, headers)
        case Fault(mode=FaultMode.TIMEOUT_BEFORE):
            return await hold_then_cut(fault.seconds)
        case Fault(mode=FaultMode.LATE):
            await asyncio.sleep(fault.seconds)
    return None


async def _after(fault: Fault | None, answer: Response) -> Response:
    match fault:
        case Fault(mode=FaultMode.ERROR_AFTER):
            raise errors.server_error()
        case Fault(mode=FaultMode.TIMEOUT_AFTER):
            return await hold_then_cut(fault.seconds)
        case Fault(mode=FaultMode.RESET):
            return CutResponse(bytes(answer.body), answer.status_code, dict(answer.headers))
    return answer
