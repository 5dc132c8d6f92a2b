import json
import time
from typing import Any

import pytest
import stripe

from commerce.domain.errors import ProviderRefused
from tests.integration.providers.payment_contract import PRICE, Sale, asked
from tests.integration.providers.stripe_desk import StripeDesk


@pytest.fixture
async def captured(stripe_desk: StripeDesk) -> Sale:
    request = asked("pm_card_visa")
    payment = await stripe_desk.provider.authorise(request)
    return Sale(
        request,
        await stripe_desk.provider.capture(request.payment_id, payment.provider_ref, PRICE),
    )


def _signed(body: str, secret: str, at: float | None = None) -> dict[str, str]:
    stamp = int(at if at is not None else time.time())
    return {"Stripe-Signature": stripe.WebhookSignature.generate_signature_header(body, secret, stamp)}


async def _event(desk: StripeDesk, kind: str, ref: str) -> tuple[dict[str, Any], str]:
    (event,) = await desk.events(kind, ref)
    return event, json.dumps(event, indent=2)


@pytest.mark.parametrize(
    "kind", ["payment_intent.amount_capturable_updated", "payment_intent.succeeded", "charge.captured"]
)
async def test_news_of_a_payment_names_its_order(stripe_desk: StripeDesk, captured: Sale, kind: str) -> None:
    event, body = await _event(stripe_desk, kind, captured.ref)

    parsed = stripe_desk.provider.parse_webhook(
        body.encode(), _signed(body, stripe_desk.emulator.webhook_secret)
    )

    request = captured.request
    assert (parsed.provider, parsed.event_id, parsed.kind) == ("stripe", event["id"], kind)
    assert (parsed.order_id, parsed.payment_id) == (request.order_id, request.payment_id)
    assert (parsed.refund_id, parsed.shipment_id, parsed.provider_ref) == (None, None, captured.ref)
    assert parsed.occurred_at.timestamp() == event["created"]
    assert parsed.data["id"] == event["id"]


async def test_news_of_a_refund_names_the_refund(stripe_desk: StripeDesk, captured: Sale) -> None:
    refund = captured.refund(700)
    await stripe_desk.provider.refund(refund)
    _, body = await _event(stripe_desk, "refund.created", captured.ref)

    parsed = stripe_desk.provider.parse_webhook(
        body.encode(), _signed(body, stripe_desk.emulator.webhook_secret)
    )

    assert (parsed.refund_id, parsed.payment_id) == (refund.refund_id, captured.request.payment_id)
    assert parsed.provider_ref == captured.ref


async def test_the_client_secret_is_not_kept(stripe_desk: StripeDesk, captured: Sale) -> None:
    event, body = await _event(stripe_desk, "payment_intent.succeeded", captured.ref)

    parsed = stripe_desk.provider.parse_webhook(
        body.encode(), _signed(body, stripe_desk.emulator.webhook_secret)
    )

    assert event["data"]["object"]["client_secret"]
    assert "client_secret" not in json.dumps(parsed.data)


async def test_header_names_may_be_lower_case(stripe_desk: StripeDesk, captured: Sale) -> None:
    event, body = await _event(stripe_desk, "payment_intent.succeeded", captured.ref)
    signed = _signed(body, stripe_desk.emulator.webhook_secret)

    parsed = stripe_desk.provider.parse_webhook(
        body.encode(), {name.lower(): value for name, value in signed.items()}
    )

    assert parsed.event_id == event["id"]


async def test_a_forged_stale_or_altered_event_is_refused(stripe_desk: StripeDesk, captured: Sale) -> None:
    _, body = await _event(stripe_desk, "payment_intent.succeeded", captured.ref)
    secret = stripe_desk.emulator.webhook_secret
    attempts = {
        "forged": (body, _signed(body, "whsec_guess")),
        "stale": (body, _signed(body, secret, time.time() - 301)),
        "altered": (body.replace("3999", "1"), _signed(body, secret)),
        "unsigned": (body, {}),
        "garbled": (body, {"Stripe-Signature": "t=x,v1=y"}),
    }

    for name, (sent, headers) in attempts.items():
        with pytest.raises(ProviderRefused) as caught:
            stripe_desk.provider.parse_webhook(sent.encode(), headers)
        assert caught.value.code == "invalid_signature", name


async def test_a_stamp_within_five_minutes_is_accepted(stripe_desk: StripeDesk, captured: Sale) -> None:
    event, body = await _event(stripe_desk, "payment_intent.succeeded", captured.ref)
    headers = _signed(body, stripe_desk.emulator.webhook_secret, time.time() - 290)

    assert stripe_desk.provider.parse_webhook(body.encode(), headers).event_id == event["id"]


@pytest.mark.parametrize("body", ["{}", "[]", "not json", '{"object":"v2.core.event","id":"evt_1"}'])
async def test_what_is_no_event_is_refused_although_signed(stripe_desk: StripeDesk, body: str) -> None:
    with pytest.raises(ProviderRefused) as caught:
        stripe_desk.provider.parse_webhook(body.encode(), _signed(body, stripe_desk.emulator.webhook_secret))

    assert caught.value.code == "malformed_event"


async def test_bytes_that_are_no_text_are_refused(stripe_desk: StripeDesk) -> None:
    with pytest.raises(ProviderRefused):
        stripe_desk.provider.parse_webhook(b"\xff\xfe", _signed("x", stripe_desk.emulator.webhook_secret))
