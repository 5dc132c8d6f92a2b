"""Stripe's events: verified over the raw bytes, told apart by the ids that we left in their metadata."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import stripe
from pydantic import BaseModel, Field, ValidationError

from commerce.contracts.statuses import Provider
from commerce.domain.errors import ProviderRefused
from commerce.domain.providers import ProviderEvent

SIGNATURE = "stripe-signature"
TOLERANCE_SECONDS = 300


class _Object(BaseModel):
    """What payment intents, charges, refunds and disputes have in common, as far as we read it."""

    id: str
    object: str
    payment_intent: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)

    @property
    def intent(self) -> str | None:
        return self.id if self.object == "payment_intent" else self.payment_intent


class _Data(BaseModel):
    object: _Object


class _Event(BaseModel):
    id: str
    type: str
    created: int
    data: _Data


def parse_event(payload: bytes, headers: Mapping[str, str], secret: str) -> ProviderEvent:
    """`provider_ref` is always the payment's; the client secret is taken out of `data`.

    Raises ProviderRefused: `invalid_signature` for a forgery or an old stamp, `malformed_event`.
    """
    signature = next((value for name, value in headers.items() if name.lower() == SIGNATURE), None)
    try:
        stripe.WebhookSignature.verify_header(payload, signature, secret, TOLERANCE_SECONDS)
        body = json.loads(payload)
        event = _Event.model_validate(body)
    except stripe.SignatureVerificationError as error:
        raise ProviderRefused("Stripe's signature does not hold", code="invalid_signature") from error
    except (ValidationError, ValueError) as error:
        raise ProviderRefused("not an event of Stripe", code="malformed_event") from error
    body["data"]["object"].pop("client_secret", None)
    metadata = event.data.object.metadata
    return ProviderEvent(
        provider=Provider.STRIPE,
        event_id=event.id,
        kind=event.type,
        occurred_at=datetime.fromtimestamp(event.created, UTC),
        order_id=metadata.get("order_id"),
        payment_id=metadata.get("payment_id"),
        refund_id=metadata.get("refund_id"),
        provider_ref=event.data.object.intent,
        data=body,
    )
