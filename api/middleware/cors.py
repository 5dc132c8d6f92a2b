"""Which pages of other origins may call: none unless configured, and the codec for Temporal's UI alone."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import Forbidden
from api.problems import ProblemRenderer

CODEC_PREFIX = "/codec"
_EXPOSED = ["ETag", "Idempotency-Replayed", "Location", "Retry-After", "X-Request-Id"]
_ACCEPTED = [
    *("Authorization", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID"),
    *("X-Cart-Token", "X-Request-Id", "traceparent"),
]


class OriginMiddleware:
    """Chooses between the two policies by address."""

    def __init__(
        self, app: ASGIApp, origins: Sequence[str], temporal_ui_url: str, renderer: ProblemRenderer
    ) -> None:
        self._shop = (
            _ProblemCors(
                app,
                renderer,
                allow_origins=tuple(origins),
                allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
                allow_headers=_ACCEPTED,
                expose_headers=_EXPOSED,
            )
            if origins
            else app
        )
        self._codec = _ProblemCors(
            app,
            renderer,
            allow_origins=(origin_of(temporal_ui_url),),
            allow_methods=("POST",),
            allow_headers=("Authorization", "Content-Type", "X-Namespace"),
            allow_credentials=True,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        of_codec = scope["type"] == "http" and scope["path"].startswith(CODEC_PREFIX + "/")
        await (self._codec if of_codec else self._shop)(scope, receive, send)


class _ProblemCors(CORSMiddleware):
    def __init__(
        self,
        app: ASGIApp,
        renderer: ProblemRenderer,
        *,
        allow_origins: Sequence[str],
        allow_methods: Sequence[str],
        allow_headers: Sequence[str],
        allow_credentials: bool = False,
        expose_headers: Sequence[str] = (),
    ) -> None:
        super().__init__(
            app,
            allow_origins=allow_origins,
            allow_methods=allow_methods,
            allow_headers=allow_headers,
            allow_credentials=allow_credentials,
            expose_headers=expose_headers,
        )
        self._renderer = renderer

    def preflight_response(self, request_headers: Headers) -> Response:
        """A refused preflight is a problem like any other refusal, and names no allowed origin."""
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:
            return answer
        refusal = Forbidden("Pages of this origin may not make this call.", headers={"Vary": "Origin"})
        return self._renderer.respond(refusal, "*")


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
