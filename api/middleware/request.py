"""Around every request: its id, its log line, its metrics, the security headers, and the last net."""

import re
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import InternalError
from api.metrics import REQUEST_SECONDS, REQUESTS
from api.problems import ProblemRenderer
from commerce.contracts.ids import REQUEST, new_id

_SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

log = structlog.get_logger("api.access")


class RequestMiddleware:
    """Gives each request an id (the client's own, if sane) and answers what nobody caught with a problem.

    The log line names the route, never the address: that may hold what a person typed.
    """

    def __init__(self, app: ASGIApp, renderer: ProblemRenderer) -> None:
        self._app = app
        self._renderer = renderer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id)
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, answer.send)
            except Exception as error:  # the edge of the request: a fault of ours is logged and answered
                log.exception("request failed", error=type(error).__name__)
                await self._fail(scope, receive, answer)
            finally:
                _account(scope, answer.status, time.perf_counter() - started)

    async def _fail(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        if answer.status is None:
            await self._renderer.respond(InternalError(), scope["path"])(scope, receive, answer.send)


def request_id_of(headers: Headers) -> str:
    offered = headers.get("x-request-id", "")
    return offered if _SANE_ID.fullmatch(offered) else new_id(REQUEST)


class _Answer:
    """Adds the headers that every answer has and remembers the status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self._request_id
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def _account(scope: Scope, status: int | None, seconds: float) -> None:
    route = getattr(scope.get("route"), "path_format", "unmatched")
    method = scope["method"] if scope["method"] in _METHODS else "OTHER"
    label = str(status or 0)
    REQUESTS.labels(method, route, label).inc()
    REQUEST_SECONDS.labels(method, route).observe(seconds)
    log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"})
