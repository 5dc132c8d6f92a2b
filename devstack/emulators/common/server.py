"""Runs an emulator on one loopback port until SIGTERM, SIGINT or SIGHUP, then leaves with status 0."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Own handlers: uvicorn's raise the signal again after a clean stop, and skip an ignored SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True


def serve(app: ASGIApp, host: str, port: int) -> int:
    """The exit status: 0 after a signal, 1 with one line on stderr if the port can't be had."""
    # The protocol is named because asyncio turns Nagle's delay of 40 ms off only where it sees TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        print(f"cannot listen on {host}:{port}: {error.strerror}", file=sys.stderr)
        return 1
    # A planted fault cuts answers on purpose; the server's complaint about it is noise.
    logging.getLogger("uvicorn.error").addFilter(
        lambda r: "without completing response" not in r.getMessage()
    )
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    asyncio.run(_Server(config).serve(sockets=[listener]))
    return 0
