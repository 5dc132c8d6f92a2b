"""Idempotency keys at the Stripe emulator: one effect, and the first answer again."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
import stripe

from tests.integration.emulators.stripe_desk import StripeDesk


@pytest.fixture
def key() -> str:
    return f"test:{uuid4().hex}"


async def test_the_same_key_gives_the_same_answer_and_one_payment(desk: StripeDesk, key: str) -> None:
    first = await desk.create(key=key)
    second = await desk.create(key=key)

    assert second.to_dict() == first.to_dict()
    assert second.last_response.headers["idempotent-replayed"] == "true"
    assert second.last_response.headers["original-request"] == first.last_response.headers["request-id"]
    assert "idempotent-replayed" not in first.last_response.headers
    assert await desk.journal() == [("payment_intent.authorised", 3999)]


async def test_a_replay_shows_the_first_answer_not_the_present_state(desk: StripeDesk, key: str) -> None:
    intent = await desk.create(key=key)
    await desk.v1.payment_intents.cancel_async(intent.id)

    assert (await desk.create(key=key)).status == "requires_capture"
    assert (await desk.retrieve(intent.id)).status == "canceled"


async def test_other_parameters_with_the_same_key_are_refused(desk: StripeDesk, key: str) -> None:
    await desk.create(key=key)

    with pytest.raises(stripe.IdempotencyError, match="same parameters") as refused:
        await desk.create(key=key, amount=4000)

    error: Any = refused.value.error
    assert (refused.value.http_status, error.type) == (400, "idempotency_error")
    assert await desk.totals() == {"authorised": {"gbp": 3999}}


async def test_another_endpoint_with_the_same_key_is_refused(desk: StripeDesk, key: str) -> None:
    intent = await desk.create(key=key)

    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        await desk.v1.payment_intents.capture_async(intent.id, options={"idempotency_key": key})

    assert await desk.totals() == {"authorised": {"gbp": 3999}}


async def test_a_key_in_use_is_a_conflict(desk: StripeDesk, key: str) -> None:
    await desk.settings(latency_seconds=0.3)
    answers = await asyncio.gather(*(desk.create(key=key) for _ in range(5)), return_exceptions=True)

    conflicts: list[Any] = [answer for answer in answers if isinstance(answer, stripe.APIError)]
    assert [(c.http_status, c.error.code) for c in conflicts] == [(409, "idempotency_key_in_use")] * 4
    assert await desk.journal() == [("payment_intent.authorised", 3999)]
    await desk.settings(latency_seconds=0)
    replayed = await desk.create(key=key)
    assert replayed.last_response.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("mode", "journal"), [("error_before", []), ("error_after", [("payment_intent.authorised", 3999)])]
)
async def test_an_internal_error_is_remembered(
    desk: StripeDesk, key: str, mode: str, journal: list[tuple[str, int]]
) -> None:
    await desk.fault("payment_intents.create", mode)

    for _ in range(3):
        with pytest.raises(stripe.APIError) as failed:
            await desk.create(key=key)
        assert failed.value.http_status == 500

    assert failed.value.headers is not None
    assert failed.value.headers["idempotent-replayed"] == "true"
    assert await desk.journal() == journal
    assert (await desk.create(key=f"{key}:2")).status == "requires_capture"


async def test_a_decline_is_remembered(desk: StripeDesk, key: str) -> None:
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            await desk.create("pm_card_chargeDeclined", key=key)

    assert await desk.journal() == [("payment_intent.declined", 3999)]


async def test_a_refused_state_is_remembered(desk: StripeDesk, key: str) -> None:
    intent = await desk.create(None)
    with pytest.raises(stripe.InvalidRequestError):
        await desk.v1.payment_intents.capture_async(intent.id, options={"idempotency_key": key})
    await desk.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})

    with pytest.raises(stripe.InvalidRequestError, match="requires_payment_method"):
        await desk.v1.payment_intents.capture_async(intent.id, options={"idempotency_key": key})
    assert (await desk.retrieve(intent.id)).status == "requires_capture"


async def test_a_call_that_was_never_carried_out_leaves_its_key_free(desk: StripeDesk, key: str) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await desk.create(key=key, amount=1)
    await desk.fault("payment_intents.create", "rate_limit")
    with pytest.raises(stripe.RateLimitError):
        await desk.create(key=key)

    assert (await desk.create(key=key)).status == "requires_capture"
    assert await desk.journal() == [("payment_intent.authorised", 3999)]


async def test_reads_ignore_the_key(desk: StripeDesk, key: str) -> None:
    intent = await desk.create(key=key)

    read = await desk.v1.payment_intents.retrieve_async(intent.id, options={"idempotency_key": key})

    assert read.id == intent.id


async def test_a_key_has_at_most_255_characters(desk: StripeDesk) -> None:
    longest = uuid4().hex.ljust(255, "x")
    assert (await desk.create(key=longest)).status == "requires_capture"

    with pytest.raises(stripe.InvalidRequestError, match="255"):
        await desk.create(key=longest + "x")
    assert await desk.totals() == {"authorised": {"gbp": 3999}}


async def test_a_key_is_forgotten_after_its_time(desk: StripeDesk, key: str) -> None:
    await desk.create(key=key)
    await desk.settings(idempotency_ttl_seconds=0)

    again = await desk.create(key=key)

    assert "idempotent-replayed" not in again.last_response.headers
    assert await desk.totals() == {"authorised": {"gbp": 2 * 3999}}
