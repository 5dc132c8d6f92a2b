"""Cuts bodies off while they are read, whatever their `Content-Length` says."""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyTooLarge
from api.problems import BodyOverflow, ProblemRenderer

LINGER_SECONDS = 2.0
LINGER_BODIES = 16
"""How much more of a refused body, in caps, is taken off the line and thrown away: a client that is still
sending when the connection closes would never see the refusal."""


class BodyLimitMiddleware:
    def __init__(self, app: ASGIApp, limit: int, renderer: ProblemRenderer) -> None:
        self._app = app
        self._limit = limit
        self._renderer = renderer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, send, self._limit)
        headers = Headers(scope=scope)
        if _announced(headers) <= self._limit:
            await self._app(scope, body.receive, body.send)
            return
        body.refused = "expect" not in headers
        refusal = self._renderer.respond(BodyTooLarge(self._limit), scope["path"])
        await refusal(scope, receive, body.send)


class _Body:
    """One request's body: counted as it comes, and drained for a while once it is refused."""

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive = receive
        self._send = send
        self._limit = limit
        self._seen = 0
        self.refused = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._limit:
            self.refused = message.get("more_body", False)
            raise BodyOverflow(self._limit)
        return message

    async def send(self, message: Message) -> None:
        if not self.refused or message["type"] != "http.response.body" or message.get("more_body"):
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        with suppress(TimeoutError):
            await asyncio.wait_for(self._drain(), LINGER_SECONDS)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drain(self) -> None:
        taken = 0
        while taken < LINGER_BODIES * self._limit:
            message = await self._receive()
            taken += len(message.get("body", b""))
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                return


def _announced(headers: Headers) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0
