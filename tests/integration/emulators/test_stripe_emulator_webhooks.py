"""Webhooks of the Stripe emulator: signed, retried, and misbehaving when told to."""

import json
from typing import Any

import pytest
import stripe

from tests.integration.emulators.stripe_desk import StripeDesk, until

CREATED, CAPTURABLE = "payment_intent.created", "payment_intent.amount_capturable_updated"


async def test_an_event_is_signed_and_shaped_as_stripes(desk: StripeDesk) -> None:
    intent = await desk.create(key=f"k:{desk.order_id}")

    (delivery,) = await desk.events(intent, CAPTURABLE)

    event = desk.client.construct_event(delivery.body, delivery.signature, desk.receiver.secret)
    assert (event.object, event.type, event.livemode) == ("event", CAPTURABLE, False)
    assert event.id.startswith("evt_")
    assert event.api_version == stripe.api_version
    assert event.request is not None
    assert event.request.idempotency_key == f"k:{desk.order_id}"
    assert delivery.subject["id"] == intent.id
    assert delivery.subject["status"] == "requires_capture"
    assert delivery.subject["metadata"] == {"order_id": desk.order_id}
    tampered = delivery.body.replace(b"3999", b"1")
    with pytest.raises(stripe.SignatureVerificationError):
        desk.client.construct_event(tampered, delivery.signature, desk.receiver.secret)
    with pytest.raises(stripe.SignatureVerificationError):
        desk.client.construct_event(delivery.body, delivery.signature, "whsec_of_someone_else")


@pytest.mark.parametrize(
    ("card", "changes", "types"),
    [
        ("pm_card_visa", {}, {CREATED, "charge.succeeded", CAPTURABLE}),
        (
            "pm_card_visa",
            {"capture_method": "automatic"},
            {CREATED, "charge.succeeded", "payment_intent.succeeded"},
        ),
        ("pm_card_authenticationRequired", {}, {CREATED, "payment_intent.requires_action"}),
        (None, {}, {CREATED}),
    ],
)
async def test_each_step_is_told(
    desk: StripeDesk, card: str | None, changes: dict[str, Any], types: set[str]
) -> None:
    intent = await desk.create(card, **changes)

    await desk.events(intent, *types)

    assert sorted(desk.receiver.types(intent.id)) == sorted(types)


async def test_capture_cancel_and_decline_are_told(desk: StripeDesk) -> None:
    taken, dropped = await desk.create(), await desk.create()
    await desk.v1.payment_intents.capture_async(taken.id)
    await desk.v1.payment_intents.cancel_async(dropped.id)
    with pytest.raises(stripe.CardError) as declined:
        await desk.create("pm_card_chargeDeclined")

    await desk.events(taken, "charge.captured", "payment_intent.succeeded")
    await desk.events(dropped, "charge.refunded", "payment_intent.canceled")
    error: Any = declined.value.error
    await desk.events(error.payment_intent, "charge.failed", "payment_intent.payment_failed")


async def test_an_event_is_retried_until_it_is_accepted(desk: StripeDesk) -> None:
    await desk.settings(webhook_retry_scale=0.005)
    desk.receiver.refusals[CAPTURABLE] = 3
    intent = await desk.create()

    await until(lambda: desk.receiver.types(intent.id).count(CAPTURABLE) == 4)

    attempts = await desk.events(intent, CAPTURABLE)
    assert len({attempt.event["id"] for attempt in attempts}) == 1
    event = await desk.v1.events.retrieve_async(attempts[0].event["id"])
    assert event.pending_webhooks == 0


async def test_a_duplicate_carries_the_same_event_id(desk: StripeDesk) -> None:
    await desk.post("webhooks/modes", event_type=CAPTURABLE, mode="duplicate", copies=2)
    intent = await desk.create()

    await until(lambda: desk.receiver.types(intent.id).count(CAPTURABLE) == 3)

    copies = await desk.events(intent, CAPTURABLE)
    assert len({copy.event["id"] for copy in copies}) == 1
    assert all(copy.verified for copy in copies)


async def test_a_reordered_event_comes_after_a_later_one(desk: StripeDesk) -> None:
    await desk.post("webhooks/modes", event_type=CREATED, mode="reorder")
    intent = await desk.create()

    await desk.events(intent, CREATED, CAPTURABLE)

    assert desk.receiver.types(intent.id)[0] != CREATED


async def test_a_delayed_event_comes_late(desk: StripeDesk) -> None:
    await desk.post("webhooks/modes", event_type=CREATED, mode="delay", seconds=0.4)
    intent = await desk.create()

    await desk.events(intent, CAPTURABLE)
    assert CREATED not in desk.receiver.types(intent.id)
    await desk.events(intent, CREATED)


async def test_a_lost_event_comes_only_when_it_is_resent(desk: StripeDesk) -> None:
    await desk.post("webhooks/modes", event_type=CAPTURABLE, mode="lose")
    intent = await desk.create()
    await desk.events(intent, CREATED, "charge.succeeded")
    listed = await desk.v1.events.list_async({"type": CAPTURABLE, "limit": 1})
    lost = listed.data[0]
    assert lost.data.object["id"] == intent.id
    assert CAPTURABLE not in desk.receiver.types(intent.id)

    await desk.post(f"webhooks/resend/{lost.id}")

    (delivery,) = await desk.events(intent, CAPTURABLE)
    assert json.loads(delivery.body)["id"] == lost.id
    assert (await desk.control.post("/webhooks/resend/evt_unknown")).status_code == 404


async def test_a_wrong_signature_does_not_verify_and_is_followed_by_a_good_one(desk: StripeDesk) -> None:
    await desk.settings(webhook_retry_scale=0.005)
    await desk.post("webhooks/modes", event_type=CAPTURABLE, mode="wrong_signature")
    intent = await desk.create()

    await until(lambda: desk.receiver.types(intent.id).count(CAPTURABLE) == 2)

    assert [attempt.verified for attempt in await desk.events(intent, CAPTURABLE)] == [False, True]


async def test_a_mode_holds_for_its_count_only(desk: StripeDesk) -> None:
    await desk.post("webhooks/modes", event_type=CAPTURABLE, mode="lose", times=2)
    assert len((await desk.control.get("/webhooks/modes")).json()["data"]) == 1
    await desk.create()
    await desk.create()

    assert (await desk.control.get("/webhooks/modes")).json()["data"] == []
    await desk.events(await desk.create(), CAPTURABLE)


async def test_a_mode_that_does_not_exist_is_refused(desk: StripeDesk) -> None:
    answer = await desk.control.post("/webhooks/modes", json={"mode": "shout"})

    assert answer.status_code == 400
    assert "duplicate" in answer.json()["error"]
