"""Faults planted in the Stripe emulator: what the client sees, and whether money moved."""

import asyncio
import time

import pytest
import stripe

from tests.integration.emulators.stripe_desk import StripeDesk

CAPTURE = "payment_intents.capture"
HELD = [("payment_intent.authorised", 3999)]
TAKEN = [*HELD, ("payment_intent.captured", 3999)]


@pytest.mark.parametrize(
    ("mode", "error", "journal"),
    [
        ("error_before", stripe.APIError, HELD),
        ("error_after", stripe.APIError, TAKEN),
        ("rate_limit", stripe.RateLimitError, HELD),
        ("timeout_before", stripe.APIConnectionError, HELD),
        ("timeout_after", stripe.APIConnectionError, TAKEN),
        ("reset", stripe.APIConnectionError, TAKEN),
    ],
)
async def test_a_fault_fails_the_call_before_or_after_its_effect(
    desk: StripeDesk, mode: str, error: type[stripe.StripeError], journal: list[tuple[str, int]]
) -> None:
    intent = await desk.create()
    await desk.fault(CAPTURE, mode, seconds=0.05)

    with pytest.raises(error):
        await desk.v1.payment_intents.capture_async(intent.id)

    assert await desk.journal() == journal
    assert (await desk.control.get("/faults")).json()["data"] == []


async def test_a_timeout_holds_the_connection(desk: StripeDesk) -> None:
    await desk.fault("payment_intents.create", "timeout_before", seconds=0.4)
    started = time.monotonic()

    with pytest.raises(stripe.APIConnectionError):
        await desk.create()

    assert time.monotonic() - started >= 0.4
    assert await desk.found() == []


async def test_the_key_answers_after_a_timeout_that_had_its_effect(desk: StripeDesk) -> None:
    key = f"k:{desk.order_id}"
    await desk.fault("payment_intents.create", "timeout_after", seconds=0.2)
    with pytest.raises(stripe.APIConnectionError):
        await desk.create(key=key)

    again = await desk.create(key=key)

    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert await desk.journal() == HELD


async def test_a_late_call_acts_after_its_client_has_gone(desk: StripeDesk) -> None:
    intent = await desk.create()
    await desk.fault(CAPTURE, "late", seconds=0.5)
    call = asyncio.create_task(desk.v1.payment_intents.capture_async(intent.id))
    await asyncio.sleep(0.2)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await desk.journal() == HELD

    await desk.events(intent, "charge.captured")
    assert await desk.journal() == TAKEN


async def test_rate_limits_say_when_to_come_back(desk: StripeDesk) -> None:
    await desk.fault("payment_intents.create", "rate_limit", seconds=7)

    with pytest.raises(stripe.RateLimitError) as limited:
        await desk.create()

    assert limited.value.headers is not None
    assert (limited.value.http_status, limited.value.headers["retry-after"]) == (429, "7")


async def test_a_wrong_amount_is_wrong_everywhere(desk: StripeDesk) -> None:
    intent = await desk.create()
    await desk.fault(CAPTURE, "wrong_amount")

    captured = await desk.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 2000})

    assert captured.amount_received == 1999
    assert await desk.journal() == [*HELD, ("payment_intent.captured", 1999)]
    told, *_ = await desk.events(intent, "payment_intent.succeeded")
    assert told.subject["amount_received"] == 1999


async def test_a_fault_strikes_as_often_as_it_was_told(desk: StripeDesk) -> None:
    await desk.fault("payment_intents.create", "error_before", times=2)

    for _ in range(2):
        with pytest.raises(stripe.APIError):
            await desk.create()

    assert (await desk.create()).status == "requires_capture"


async def test_a_fault_strikes_only_what_it_matches(desk: StripeDesk) -> None:
    intent = await desk.captured()
    await desk.fault("refunds.create", "error_before", match={"metadata": {"order_id": "ord_of_another"}})
    assert (await desk.refund(intent, 100)).amount == 100
    await desk.control.delete("/faults")

    await desk.fault("*", "error_before")
    with pytest.raises(stripe.APIError):
        await desk.refund(intent, 100)


async def test_faults_can_be_taken_back(desk: StripeDesk) -> None:
    await desk.fault("*", "error_before", times=9)
    assert (await desk.control.delete("/faults")).status_code == 204

    assert (await desk.create()).status == "requires_capture"


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "payment_intents.captur", "mode": "reset"},
        {"operation": CAPTURE, "mode": "explode"},
        {"operation": CAPTURE, "mode": "reset", "times": 0},
        {"operation": CAPTURE, "mode": "reset", "match": "all"},
        {"mode": "reset"},
    ],
)
async def test_a_fault_that_could_never_strike_is_refused(desk: StripeDesk, body: dict[str, object]) -> None:
    answer = await desk.control.post("/faults", json=body)

    assert answer.status_code == 400
    assert (await desk.control.get("/faults")).json()["data"] == []


async def test_latency_slows_every_call(desk: StripeDesk) -> None:
    await desk.settings(latency_seconds=0.3)
    started = time.monotonic()

    await desk.create()

    assert time.monotonic() - started >= 0.3
