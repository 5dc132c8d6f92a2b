"""EasyPost's events, verified over the raw bytes."""

import json
from collections.abc import Mapping

from easypost.errors.general.signature_verification_error import SignatureVerificationError
from easypost.util import validate_webhook
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from commerce.domain.errors import ProviderRefused
from commerce.domain.providers import ProviderEvent
from commerce.providers.carrier.tracking import Moment

PROVIDER = "easypost"
SIGNATURE = "x-hmac-signature"


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str
    description: str
    created_at: Moment
    result: dict[str, JsonValue]


def parse_event(payload: bytes, headers: Mapping[str, str], secret: str) -> ProviderEvent:
    """`provider_ref` is the tracking code, the one name of the parcel that EasyPost's news has.

    Who signed for the parcel is taken out of `data`. Raises ProviderRefused: `invalid_signature`,
    `malformed_event`.
    """
    signature = next((value for name, value in headers.items() if name.lower() == SIGNATURE), "")
    if not secret or not signature.isascii():
        raise ProviderRefused("EasyPost's signature does not hold", code="invalid_signature")
    try:
        validate_webhook(payload, {"X-Hmac-Signature": signature}, secret)
        body = json.loads(payload)
        event = _Event.model_validate(body)
    except SignatureVerificationError as error:
        raise ProviderRefused("EasyPost's signature does not hold", code="invalid_signature") from error
    except (ValidationError, ValueError) as error:
        raise ProviderRefused("not an event of EasyPost", code="malformed_event") from error
    body["result"].pop("signed_by", None)
    code = event.result.get("tracking_code")
    return ProviderEvent(
        provider=PROVIDER,
        event_id=event.id,
        kind=event.description,
        occurred_at=event.created_at,
        provider_ref=code if isinstance(code, str) else None,
        data=body,
    )
