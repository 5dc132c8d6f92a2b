"""The port `PaymentProvider` at Stripe: manual capture, one intent per payment."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import stripe
from stripe.params import PaymentIntentCreateParams

from commerce.contracts.ids import issued_at
from commerce.contracts.money import Money
from commerce.contracts.statuses import Provider
from commerce.domain.errors import ProviderUnavailable
from commerce.domain.providers import (
    AuthorisationRequest,
    ProviderEvent,
    ProviderPayment,
    ProviderRefund,
    RefundRequest,
)
from commerce.providers.stripe import failures
from commerce.providers.stripe.account import StripeAccount, idempotency_key
from commerce.providers.stripe.amounts import to_stripe
from commerce.providers.stripe.facts import intent_status, payment_facts, refund_facts
from commerce.providers.stripe.lookup import CLOSED, Lookup
from commerce.providers.stripe.once import MOST_KEYS, once
from commerce.providers.stripe.statuses import FINAL, IntentStatus
from commerce.providers.stripe.webhooks import parse_event

_KEYS_KEPT = 20 * 3600.0
"""Stripe keeps keys for at least 24 hours: past this age a payment is looked up before it is made."""

T = TypeVar("T")


class StripePayments:
    name: str = Provider.STRIPE

    def __init__(self, account: StripeAccount) -> None:
        self._account = account
        self._http = account.http_client()
        self._client = account.client(self._http)
        self._intents = self._client.v1.payment_intents
        self._lookup = Lookup(self._client)

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]  # untyped in the SDK

    async def authorise(self, request: AuthorisationRequest) -> ProviderPayment:
        """Without a token the shopper pays in the browser with the action's client secret."""
        params = _authorisation(request)
        with failures.sorted_failures(effect=True):
            intent = await self._remembered_long_ago(request.payment_id)
            if intent is None:
                intent = await self._authorise(request.payment_id, params)
        return payment_facts(intent)

    async def read(self, payment_id: str, provider_ref: str | None) -> ProviderPayment | None:
        with failures.sorted_failures(effect=False):
            intent = await self._find(payment_id, provider_ref)
        return payment_facts(intent) if intent is not None else None

    async def capture(self, payment_id: str, provider_ref: str, amount: Money) -> ProviderPayment:
        """Raises ProviderRefused when the authorisation is gone: its end came, or it was voided."""
        wanted, _ = to_stripe(amount)

        async def post(key: str) -> stripe.PaymentIntent:
            return await self._intents.capture_async(
                provider_ref,
                {"amount_to_capture": wanted, "expand": ["latest_charge"]},
                {"idempotency_key": key},
            )

        async def captured() -> stripe.PaymentIntent | None:
            intent = await self._lookup.fresh(provider_ref)
            return intent if intent_status(intent) is IntentStatus.SUCCEEDED else None

        with failures.sorted_failures(effect=True):
            try:
                intent = await once("capture", payment_id, post, captured, self._reread)
            except stripe.InvalidRequestError as error:
                done = await captured() if failures.is_unexpected_state(error) else None
                if done is None:
                    raise
                intent = done
        return payment_facts(intent)

    async def void(self, payment_id: str, provider_ref: str | None) -> ProviderPayment | None:
        """Where nothing is found, the payment's key is used up: a late twin of `authorise` is then refused.

        Raises ProviderUnavailable while the payment is being processed.
        """
        with failures.sorted_failures(effect=True):
            intent = await self._find(payment_id, provider_ref)
            if intent is None:
                intent = await self._close_door(payment_id)
            if intent is not None and intent_status(intent) not in FINAL:
                intent = await self._cancel(payment_id, intent.id)
        return payment_facts(intent) if intent is not None else None

    async def refund(self, request: RefundRequest) -> ProviderRefund:
        amount, _ = to_stripe(request.amount)
        metadata = {
            "order_id": request.order_id,
            "payment_id": request.payment_id,
            "refund_id": request.refund_id,
        }

        async def post(key: str) -> stripe.Refund:
            return await self._client.v1.refunds.create_async(
                {"payment_intent": request.provider_ref, "amount": amount, "metadata": metadata},
                {"idempotency_key": key},
            )

        async def look_up() -> stripe.Refund | None:
            return await self._lookup.refund(request)

        async def reread(refund: stripe.Refund) -> stripe.Refund:
            return await self._client.v1.refunds.retrieve_async(refund.id)

        with failures.sorted_failures(effect=True):
            refund = await look_up()
            if refund is None:
                refund = await _or_found(
                    once("refund", request.refund_id, post, look_up, reread), look_up, _nothing_left
                )
        return refund_facts(refund)

    async def read_refund(self, request: RefundRequest, refund_ref: str | None) -> ProviderRefund | None:
        with failures.sorted_failures(effect=False):
            if refund_ref is not None:
                refund = await self._lookup.refund_by_ref(refund_ref)
            else:
                refund = await self._lookup.refund(request)
        return refund_facts(refund) if refund is not None else None

    def parse_webhook(self, payload: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        return parse_event(payload, headers, self._account.webhook_secret)

    async def _authorise(self, payment_id: str, params: PaymentIntentCreateParams) -> stripe.PaymentIntent:
        async def post(key: str) -> stripe.PaymentIntent:
            return await self._intents.create_async(params, {"idempotency_key": key})

        async def look_up() -> stripe.PaymentIntent | None:
            return await self._lookup.by_payment_id(payment_id)

        try:
            return await once("authorise", payment_id, post, look_up, self._reread)
        except stripe.CardError as error:
            declined = failures.declined_intent(error)
            if declined is None:
                raise
            return await self._lookup.fresh(declined)

    async def _remembered_long_ago(self, payment_id: str) -> stripe.PaymentIntent | None:
        issued = issued_at(payment_id)
        if issued is not None and time.time() - issued < _KEYS_KEPT:
            return None
        return await self._lookup.by_payment_id(payment_id)

    async def _find(self, payment_id: str, provider_ref: str | None) -> stripe.PaymentIntent | None:
        if provider_ref is not None:
            return await self._lookup.by_ref(provider_ref)
        return await self._lookup.by_payment_id(payment_id)

    async def _reread(self, intent: stripe.PaymentIntent) -> stripe.PaymentIntent:
        return await self._lookup.fresh(intent.id)

    async def _cancel(self, payment_id: str, provider_ref: str) -> stripe.PaymentIntent:
        async def post(key: str) -> stripe.PaymentIntent:
            return await self._intents.cancel_async(
                provider_ref, {"expand": ["latest_charge"]}, {"idempotency_key": key}
            )

        async def ended() -> stripe.PaymentIntent | None:
            intent = await self._lookup.fresh(provider_ref)
            return intent if intent_status(intent) in FINAL else None

        cancelled = once("void", payment_id, post, ended, self._reread)
        try:
            return await _or_found(cancelled, ended, failures.is_unexpected_state)
        except stripe.InvalidRequestError as error:
            if not failures.is_unexpected_state(error):
                raise
            raise ProviderUnavailable("Stripe is processing this payment", code="processing") from error

    async def _close_door(self, payment_id: str) -> stripe.PaymentIntent | None:
        """Uses the first free key of `authorise` for an intent that nobody can pay, and cancels that.

        Returns the payment's own intent where an authorisation turns out to have come first.
        """
        params: PaymentIntentCreateParams = {
            "amount": 100,
            "currency": "usd",
            "capture_method": "manual",
            "description": "Given up before it was authorised",
            "metadata": {"payment_id": payment_id, CLOSED: "true"},
        }
        for sequence in range(1, MOST_KEYS + 1):
            key = idempotency_key("authorise", payment_id, sequence)
            try:
                stub = await self._intents.create_async(params, {"idempotency_key": key})
            except stripe.StripeError as error:
                if failures.is_remembered_failure(error):
                    return None
                if not failures.is_key_taken(error):
                    raise
                found = await self._lookup.by_payment_id(payment_id)
                if found is not None:
                    return found
            else:
                await self._cancel(f"{payment_id}:closed", stub.id)
                return None
        return None


def _authorisation(request: AuthorisationRequest) -> PaymentIntentCreateParams:
    amount, currency = to_stripe(request.amount)
    params: PaymentIntentCreateParams = {
        "amount": amount,
        "currency": currency,
        "capture_method": "manual",
        "automatic_payment_methods": {"enabled": True},
        "description": f"Order {request.number}",
        "metadata": {
            "order_id": request.order_id,
            "payment_id": request.payment_id,
            "number": request.number,
        },
        "expand": ["latest_charge"],
    }
    if request.token is not None:
        params["payment_method"] = request.token
        params["confirm"] = True
        params["return_url"] = request.return_url
    return params


async def _or_found(
    outcome: Awaitable[T],
    look_up: Callable[[], Awaitable[T | None]],
    done: Callable[[stripe.StripeError], bool],
) -> T:
    """Where the refusal may mean that it was `done` before, what the look-up finds counts."""
    try:
        return await outcome
    except stripe.InvalidRequestError as error:
        found = await look_up() if done(error) else None
        if found is None:
            raise
        return found


def _nothing_left(error: stripe.StripeError) -> bool:
    return error.code in failures.NOTHING_LEFT_TO_REFUND
