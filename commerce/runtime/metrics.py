"""Prometheus: how far the relays are behind, and where a process is read; labels are names of ours only."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import REGISTRY, CollectorRegistry, Gauge, start_http_server


@dataclass(frozen=True)
class RelayMetrics:
    """How far the outbox and the inbox are behind, in rows and in seconds of the oldest row."""

    rows: Gauge
    seconds: Gauge

    @classmethod
    def register(cls, registry: CollectorRegistry = REGISTRY) -> "RelayMetrics":
        """Once per registry: a second time raises ValueError."""
        return cls(
            rows=Gauge("commerce_relay_rows", "Rows that wait to be told.", ["box"], registry=registry),
            seconds=Gauge(
                "commerce_relay_lag_seconds", "Age of the oldest waiting row.", ["box"], registry=registry
            ),
        )

    def set(self, box: str, rows: int, oldest_seconds: float) -> None:
        """`box` is `outbox` or `inbox`."""
        self.rows.labels(box).set(rows)
        self.seconds.labels(box).set(oldest_seconds)


@contextmanager
def serve_metrics(host: str, port: int, registry: CollectorRegistry = REGISTRY) -> Iterator[int]:
    """Answers `GET /metrics` on an inner address while the block runs; yields the port (0 asks for any)."""
    server, thread = start_http_server(port, host, registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=2)
