"""Control routes under `/_emulator/` that every emulator offers, and the broken answers of its faults."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from devstack.emulators.common.faults import FaultTable
from devstack.emulators.common.journal import Journal
from devstack.emulators.common.jsonvalue import JSON, BadInput, as_object
from devstack.emulators.common.webhooks import ModeRule, WebhookSender

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


class CutResponse(Response):
    """Announces its whole body, sends half of it and leaves: the server then cuts the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


async def hold_then_cut(seconds: float) -> Response:
    """What a client sees when the provider does not answer in time."""
    await asyncio.sleep(seconds)
    return CutResponse(b"{}")


async def json_body(request: Request) -> dict[str, JSON]:
    """The body as a JSON object, empty if there is none. Raises BadInput."""
    raw = await request.body()
    try:
        value: JSON = json.loads(raw or b"{}")
    except ValueError as error:
        raise BadInput("the body is not JSON") from error
    return dict(as_object(value))


async def bad_input(request: Request, error: Exception) -> Response:
    """Exception handler for BadInput in control routes."""
    return JSONResponse({"error": str(error)}, status_code=400)


def control_routes(
    name: str, journal: Journal, faults: FaultTable, sender: Callable[[], WebhookSender]
) -> list[Route]:
    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok", "emulator": name})

    async def read_journal(request: Request) -> Response:
        return JSONResponse({"data": journal.entries(request.query_params.get("order_id"))})

    async def list_deliveries(request: Request) -> Response:
        return JSONResponse({"data": [delivery.to_json() for delivery in sender().deliveries()]})

    return [
        Route("/_emulator/health", health),
        Route("/_emulator/journal", read_journal),
        Route("/_emulator/webhooks", list_deliveries),
        *_fault_routes(faults),
        *_mode_routes(sender),
    ]


def _fault_routes(faults: FaultTable) -> list[Route]:
    async def add(request: Request) -> Response:
        return JSONResponse(faults.add(await json_body(request)).to_json(), status_code=201)

    async def show(request: Request) -> Response:
        return JSONResponse({"data": [fault.to_json() for fault in faults.left()]})

    async def clear(request: Request) -> Response:
        faults.clear()
        return Response(status_code=204)

    return _resource("/_emulator/faults", add, show, clear)


def _mode_routes(sender: Callable[[], WebhookSender]) -> list[Route]:
    async def add(request: Request) -> Response:
        rule = ModeRule.from_json(await json_body(request))
        sender().add_mode(rule)
        return JSONResponse(rule.to_json(), status_code=201)

    async def show(request: Request) -> Response:
        return JSONResponse({"data": [rule.to_json() for rule in sender().modes()]})

    async def clear(request: Request) -> Response:
        sender().clear_modes()
        return Response(status_code=204)

    return _resource("/_emulator/webhooks/modes", add, show, clear)


def _resource(path: str, add: Endpoint, show: Endpoint, clear: Endpoint) -> list[Route]:
    return [
        Route(path, add, methods=["POST"]),
        Route(path, show, methods=["GET"]),
        Route(path, clear, methods=["DELETE"]),
    ]
