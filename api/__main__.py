"""`python -m api`: the gateway on uvicorn, its metrics on an inner port, drained on SIGTERM."""

import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import prometheus_client
import structlog
import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError
from uvicorn.server import HANDLED_SIGNALS

from api.app import check, create_app
from api.state import Gateway
from commerce.domain.errors import ProviderError
from commerce.runtime.logging import configure_logging
from commerce.runtime.settings import GatewaySettings, adopt_local_identity
from commerce.runtime.temporal import NotReady

DRAIN_SECONDS = 20
"""Above the longest wait for an answer, below the time a platform gives before it kills."""

log = structlog.get_logger("api")


class DrainingServer(uvicorn.Server):
    """Tells open streams to end as soon as the process is asked to."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but a drained process ends by itself, with code 0, and not by its signal."""
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        gateway: Gateway = self._app.state.gateway
        gateway.draining.set()
        log.info("gateway drains", seconds=DRAIN_SECONDS)
        await super().shutdown(sockets)


def main() -> int:
    try:
        settings = GatewaySettings()
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            name = "COMMERCE_" + "_".join(str(part) for part in fault["loc"]).upper()
            print(f"gateway: {name}: {fault['msg']}", file=sys.stderr)  # noqa: T201
        return 2
    configure_logging(settings)
    adopt_local_identity(settings)
    try:
        asyncio.run(check(settings))
    except (NotReady, ProviderError) as missing:
        log.error("gateway cannot start", reason=str(missing))
        return 1
    serve(settings)
    return 0


def serve(settings: GatewaySettings) -> None:
    """Until SIGTERM or SIGINT."""
    app = create_app(settings)
    metrics, thread = prometheus_client.start_http_server(settings.gateway_metrics_port, "127.0.0.1")
    config = uvicorn.Config(
        app,
        host=settings.gateway_host,
        port=settings.gateway_port,
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    try:
        DrainingServer(config, app).run()
    finally:
        metrics.shutdown()
        thread.join(2)


if __name__ == "__main__":
    sys.exit(main())
