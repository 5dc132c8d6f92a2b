"""Cuts bodies off while they are read, whatever their `Content-Length` says."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyTooLarge
from api.problems import BodyOverflow, ProblemRenderer


class BodyLimitMiddleware:
    def __init__(self, app: ASGIApp, limit: int, renderer: ProblemRenderer) -> None:
        self._app = app
        self._limit = limit
        self._renderer = renderer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced(scope) > self._limit:
            refusal = self._renderer.respond(BodyTooLarge(self._limit), scope["path"])
            await refusal(scope, receive, send)
            return
        await self._app(scope, _Counter(receive, self._limit), send)


class _Counter:
    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._seen = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._limit:
            raise BodyOverflow(self._limit)
        return message


def _announced(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0
