"""Finding at Stripe what we are not sure of.

By reference where we have it: that read is consistent. Without one there are two ways to an intent:
search by metadata, which Stripe calls unfit for read-after-write (usually under a minute behind, up to an
hour in an outage), and the list by time of creation, which is consistent but long. So the last hour is
read from the list, from when the payment's own id was made at the earliest, and what is older by search.
Refunds are listed by their payment, which is consistent and short.
"""

import time
from collections.abc import AsyncIterator

import stripe
from stripe.params import PaymentIntentListParams

from commerce.contracts.ids import issued_at
from commerce.domain.errors import ProviderOutcomeUnknown
from commerce.domain.providers import RefundRequest
from commerce.providers.stripe.facts import intent_status, metadata_of
from commerce.providers.stripe.failures import is_missing
from commerce.providers.stripe.statuses import LIVELINESS

CLOSED = "closed"
"""Metadata of an intent that only keeps a late authorisation from being made."""

_SEARCH_LAG = 3600.0
_CLOCK_SKEW = 60.0
_PAGE = 100
_MOST_LISTED = 2_000
_CHARGE = "latest_charge"


class Lookup:
    """Raises ProviderUnavailable and ProviderRefused, and ProviderOutcomeUnknown where it cannot tell."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    async def by_ref(self, provider_ref: str) -> stripe.PaymentIntent | None:
        try:
            return await self.fresh(provider_ref)
        except stripe.InvalidRequestError as error:
            if is_missing(error):
                return None
            raise

    async def fresh(self, provider_ref: str) -> stripe.PaymentIntent:
        return await self._client.v1.payment_intents.retrieve_async(provider_ref, {"expand": [_CHARGE]})

    async def by_payment_id(self, payment_id: str) -> stripe.PaymentIntent | None:
        now, issued = time.time(), issued_at(payment_id)
        since = now - _SEARCH_LAG
        found = [intent async for intent in self._recent(payment_id, max(since, issued or 0.0))]
        if not found and (issued is None or issued < since):
            found = await self._searched(payment_id)
        return max(found, key=lambda intent: LIVELINESS[intent_status(intent)], default=None)

    async def refund(self, request: RefundRequest) -> stripe.Refund | None:
        listed = await self._client.v1.refunds.list_async(
            {"payment_intent": request.provider_ref, "limit": _PAGE}
        )
        async for refund in listed.auto_paging_iter():
            if metadata_of(refund).get("refund_id") == request.refund_id:
                return refund
        return None

    async def refund_by_ref(self, refund_ref: str) -> stripe.Refund | None:
        try:
            return await self._client.v1.refunds.retrieve_async(refund_ref)
        except stripe.InvalidRequestError as error:
            if is_missing(error):
                return None
            raise

    async def _recent(self, payment_id: str, since: float) -> AsyncIterator[stripe.PaymentIntent]:
        params: PaymentIntentListParams = {
            "created": {"gte": int(since - _CLOCK_SKEW)},
            "limit": _PAGE,
            "expand": [f"data.{_CHARGE}"],
        }
        seen = 0
        page = await self._client.v1.payment_intents.list_async(params)
        async for intent in page.auto_paging_iter():
            if _is_ours(intent, payment_id):
                yield intent
            seen += 1
            if seen >= _MOST_LISTED:
                raise ProviderOutcomeUnknown(
                    f"more than {_MOST_LISTED} recent payments to look through", code="too_many_to_list"
                )

    async def _searched(self, payment_id: str) -> list[stripe.PaymentIntent]:
        quoted = payment_id.replace("\\", "\\\\").replace("'", "\\'")
        result = await self._client.v1.payment_intents.search_async(
            {
                "query": f"metadata['payment_id']:'{quoted}'",
                "limit": _PAGE,
                "expand": [f"data.{_CHARGE}"],
            }
        )
        return [intent for intent in result.data if _is_ours(intent, payment_id)]


def _is_ours(intent: stripe.PaymentIntent, payment_id: str) -> bool:
    metadata = metadata_of(intent)
    return metadata.get("payment_id") == payment_id and CLOSED not in metadata
