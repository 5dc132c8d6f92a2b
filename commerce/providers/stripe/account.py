"""How we reach our account at Stripe."""

from dataclasses import dataclass, field

import httpx
import stripe

API_VERSION = "2026-10-28.endive"
"""Pinned: objects and webhooks keep their shape until we move."""


@dataclass(frozen=True)
class StripeAccount:
    """Times in seconds; an activity's start-to-close must exceed `timeout`."""

    secret_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    api_base: str = "https://api.stripe.com"
    timeout: float = 10.0
    connect_timeout: float = 3.0

    def http_client(self) -> stripe.HTTPXClient:
        return stripe.HTTPXClient(timeout=httpx.Timeout(self.timeout, connect=self.connect_timeout))

    def client(self, http_client: stripe.HTTPXClient) -> stripe.StripeClient:
        """Without retries of its own: Temporal is the one retry layer."""
        return stripe.StripeClient(
            self.secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": self.api_base},
            max_network_retries=0,
            http_client=http_client,
        )


def idempotency_key(operation: str, business_id: str, sequence: int = 1) -> str:
    """The first key of an operation has no number; later ones follow a remembered failure."""
    key = f"cloudcommerce:{operation}:{business_id}"
    return key if sequence == 1 else f"{key}:{sequence}"
