"""What the gateway counts; labels are names of ours, never anything of a person."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "commerce_http_requests_total", "Requests by route and answer.", ["method", "route", "status"]
)
REQUEST_SECONDS = Histogram(
    "commerce_http_request_seconds",
    "Time to the end of the answer.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
CHECKOUTS = Counter("commerce_checkouts_total", "First answers of checkouts.", ["status"])
WEBHOOKS = Counter("commerce_webhooks_total", "Webhooks received.", ["provider", "outcome"])
STREAMS = Gauge("commerce_order_streams", "Open order streams.")
