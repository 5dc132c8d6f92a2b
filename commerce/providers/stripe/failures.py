"""Stripe's errors, sorted once into the three kinds that the rest of the shop knows."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import stripe

from commerce.domain.errors import (
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
)

UNEXPECTED_STATE = "payment_intent_unexpected_state"
NOTHING_LEFT_TO_REFUND = frozenset({"charge_already_refunded", "amount_too_large"})

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_KEY_IN_USE_WAIT = 1.0


@contextmanager
def sorted_failures(*, effect: bool) -> Iterator[None]:
    """Turns the SDK's errors into ProviderError; `effect`: the call may have changed something."""
    try:
        yield
    except stripe.StripeError as error:
        raise sort(error, effect=effect) from error


def sort(error: stripe.StripeError, *, effect: bool) -> ProviderError:
    code = error.code or (error.error.code if error.error else None)
    message = f"Stripe: {error.user_message or type(error).__name__} ({error.request_id or 'no request id'})"
    if isinstance(error, stripe.RateLimitError):
        return ProviderUnavailable(message, code="rate_limit", retry_after=_retry_after(error.headers))
    if isinstance(error, stripe.APIConnectionError):
        cause = type(error.__cause__).__name__
        if effect and not isinstance(error.__cause__, _NEVER_SENT):
            return ProviderOutcomeUnknown(f"Stripe: no answer ({cause})", code="no_answer")
        return ProviderUnavailable(f"Stripe: not reached ({cause})", code="not_reached")
    status = error.http_status or 0
    if status == 409:
        return ProviderOutcomeUnknown(message, code="key_in_use", retry_after=_KEY_IN_USE_WAIT)
    if isinstance(error, stripe.APIError):
        kind = ProviderOutcomeUnknown if effect else ProviderUnavailable
        return kind(message, code=f"http_{status}", retry_after=_retry_after(error.headers))
    if isinstance(error, stripe.IdempotencyError):
        code = "idempotency_error"
    return ProviderRefused(message, code=code or f"http_{status}")


def is_replayed(headers: Mapping[str, str] | None) -> bool:
    """Whether Stripe gave the first answer to this key again: it may be old news by now."""
    return (headers or {}).get("idempotent-replayed") == "true"


def is_remembered_failure(error: stripe.StripeError) -> bool:
    """A 5xx that this key will give for ever: only a look-up and then another key lead on."""
    return (error.http_status or 0) >= 500 and is_replayed(error.headers)


def is_unexpected_state(error: stripe.StripeError) -> bool:
    return error.code == UNEXPECTED_STATE


def is_key_taken(error: stripe.StripeError) -> bool:
    """The key was used with other parameters before."""
    return isinstance(error, stripe.IdempotencyError) and error.http_status == 400


def is_missing(error: stripe.StripeError) -> bool:
    return error.http_status == 404 or error.code == "resource_missing"


def declined_intent(error: stripe.CardError) -> str | None:
    """The id of the intent that a 402 speaks of."""
    body = error.json_body
    failure = body.get("error") if isinstance(body, dict) else None
    intent = failure.get("payment_intent") if isinstance(failure, dict) else None
    found = intent.get("id") if isinstance(intent, dict) else intent
    return found if isinstance(found, str) else None


def _retry_after(headers: Mapping[str, str] | None) -> float | None:
    try:
        return float((headers or {})["retry-after"])
    except (KeyError, ValueError):
        return None
