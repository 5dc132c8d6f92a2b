import httpx
import pytest
from prometheus_client import CollectorRegistry

from commerce.runtime.metrics import RelayMetrics, serve_metrics


def test_the_relays_lag_is_read_over_http() -> None:
    registry = CollectorRegistry()
    RelayMetrics.register(registry).set("outbox", 3, 12.5)

    with serve_metrics("127.0.0.1", 0, registry) as port:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text

    assert 'commerce_relay_rows{box="outbox"} 3.0' in text
    assert 'commerce_relay_lag_seconds{box="outbox"} 12.5' in text


def test_after_the_block_nobody_answers() -> None:
    with serve_metrics("127.0.0.1", 0, CollectorRegistry()) as port:
        pass

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5)


def test_the_same_metric_is_registered_once() -> None:
    registry = CollectorRegistry()
    RelayMetrics.register(registry)

    with pytest.raises(ValueError, match="commerce_relay_rows"):
        RelayMetrics.register(registry)
