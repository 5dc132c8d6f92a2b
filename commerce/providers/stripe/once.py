"""Carrying out a call at most once, although Stripe also remembers its own failures."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stripe

from commerce.domain.errors import ProviderOutcomeUnknown
from commerce.providers.stripe.account import idempotency_key
from commerce.providers.stripe.failures import is_key_taken, is_remembered_failure, is_replayed

T = TypeVar("T", bound=stripe.StripeObject)

MOST_KEYS = 9


async def once(
    operation: str,
    business_id: str,
    post: Callable[[str], Awaitable[T]],
    look_up: Callable[[], Awaitable[T | None]],
    reread: Callable[[T], Awaitable[T]],
) -> T:
    """The outcome of `post`, called with the operation's key.

    A first answer given again may be old news and is read afresh. A remembered 5xx, and a key used with
    other parameters, lead to `look_up`; only where that finds nothing after a remembered 5xx the next key
    is tried. Raises StripeError, and ProviderOutcomeUnknown after too many keys.
    """
    for sequence in range(1, MOST_KEYS + 1):
        try:
            answer = await post(idempotency_key(operation, business_id, sequence))
        except stripe.StripeError as error:
            remembered = is_remembered_failure(error)
            if not remembered and not is_key_taken(error):
                raise
            found = await look_up()
            if found is not None:
                return found
            if not remembered:
                raise
            continue
        response = answer.last_response
        return await reread(answer) if response and is_replayed(response.headers) else answer
    raise ProviderOutcomeUnknown(f"Stripe failed {MOST_KEYS} times to {operation} {business_id}", code="keys")
