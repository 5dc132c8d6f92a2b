"""The life of a payment at the Stripe emulator, driven by the real SDK."""

from typing import Any

import httpx
import pytest
import stripe

from tests.integration.emulators.stripe_desk import StripeDesk

DECLINES = [
    ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
    ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
    ("pm_card_chargeDeclinedFraudulent", "card_declined", "fraudulent"),
]


async def test_a_manual_payment_is_held_for_a_week(desk: StripeDesk) -> None:
    intent = await desk.create()

    charge = intent.latest_charge
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 3999, 0)
    assert (charge.captured, charge.amount_captured, charge.paid) == (False, 0, True)
    assert charge.payment_method_details.card.capture_before == charge.created + 7 * 86_400
    assert await desk.journal() == [("payment_intent.authorised", 3999)]
    assert await desk.totals() == {"authorised": {"gbp": 3999}}


async def test_capture_takes_the_hold(desk: StripeDesk) -> None:
    intent = await desk.v1.payment_intents.capture_async((await desk.create()).id)

    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("succeeded", 0, 3999)
    assert await desk.totals() == {"captured": {"gbp": 3999}}


async def test_capture_twice_takes_money_once(desk: StripeDesk) -> None:
    intent = await desk.create()
    await desk.v1.payment_intents.capture_async(intent.id)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await desk.v1.payment_intents.capture_async(intent.id)

    assert (refused.value.code, refused.value.http_status) == ("payment_intent_unexpected_state", 400)
    error: Any = refused.value.error
    assert error.payment_intent.status == "succeeded"
    assert await desk.journal() == [("payment_intent.authorised", 3999), ("payment_intent.captured", 3999)]


async def test_a_partial_capture_releases_the_rest(desk: StripeDesk) -> None:
    intent = await desk.create()

    await desk.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 1500})

    after = await desk.retrieve(intent.id)
    charge = after.latest_charge
    assert (after.status, after.amount_received, after.amount_capturable) == ("succeeded", 1500, 0)
    assert (charge.amount, charge.amount_captured, charge.amount_refunded) == (3999, 1500, 2499)
    assert await desk.totals() == {"captured": {"gbp": 1500}}


async def test_more_than_was_authorised_is_never_captured(desk: StripeDesk) -> None:
    intent = await desk.create()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await desk.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 4000})

    assert (refused.value.code, refused.value.param) == ("amount_too_large", "amount_to_capture")
    assert (await desk.retrieve(intent.id)).status == "requires_capture"
    assert await desk.journal() == [("payment_intent.authorised", 3999)]


async def test_an_automatic_payment_is_captured_at_once(desk: StripeDesk) -> None:
    intent = await desk.captured()

    assert (intent.status, intent.amount_received) == ("succeeded", 3999)
    assert intent.latest_charge.captured is True
    assert await desk.journal() == [("payment_intent.authorised", 3999), ("payment_intent.captured", 3999)]


async def test_cancel_gives_the_hold_back(desk: StripeDesk) -> None:
    intent = await desk.create()

    reason: Any = {"cancellation_reason": "requested_by_customer"}
    canceled = await desk.v1.payment_intents.cancel_async(intent.id, reason)

    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "requested_by_customer")
    assert (await desk.retrieve(intent.id)).latest_charge.refunded is True
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
        await desk.v1.payment_intents.capture_async(intent.id)
    assert await desk.journal() == [("payment_intent.authorised", 3999), ("payment_intent.canceled", 3999)]
    assert await desk.totals() == {}


async def test_a_captured_payment_cannot_be_canceled(desk: StripeDesk) -> None:
    intent = await desk.captured()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await desk.v1.payment_intents.cancel_async(intent.id)

    assert refused.value.code == "payment_intent_unexpected_state"
    assert (await desk.retrieve(intent.id)).status == "succeeded"


@pytest.mark.parametrize(("card", "code", "decline_code"), DECLINES)
async def test_a_declined_card_leaves_the_intent_open_for_another(
    desk: StripeDesk, card: str, code: str, decline_code: str
) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await desk.create(card)

    error: Any = declined.value.error
    assert (declined.value.http_status, error.type, error.code) == (402, "card_error", code)
    assert error.decline_code == decline_code
    assert await desk.journal() == [("payment_intent.declined", 3999)]

    intent = await desk.retrieve(error.payment_intent.id)
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.last_payment_error.decline_code == decline_code
    assert (intent.latest_charge.status, intent.latest_charge.paid) == ("failed", False)

    again = await desk.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    assert (again.status, again.last_payment_error) == ("requires_capture", None)


async def test_an_intent_is_confirmed_in_a_second_step(desk: StripeDesk) -> None:
    intent = await desk.create(None)
    assert intent.status == "requires_payment_method"

    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        await desk.v1.payment_intents.confirm_async(intent.id)
    updated = await desk.v1.payment_intents.update_async(intent.id, {"payment_method": "pm_card_visa"})
    assert updated.status == "requires_confirmation"
    confirmed = await desk.v1.payment_intents.confirm_async(intent.id)

    assert confirmed.status == "requires_capture"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await desk.v1.payment_intents.confirm_async(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (29, "gbp", "amount_too_small"),
        (49, "jpy", "amount_too_small"),
        (5125, "kwd", "parameter_invalid_integer"),
        (550, "isk", "parameter_invalid_integer"),
        (100_000_000, "gbp", "amount_too_large"),
        (0, "gbp", "parameter_invalid_integer"),
        (-5, "gbp", "parameter_invalid_integer"),
        (3999, "gbx", None),
    ],
)
async def test_an_amount_that_the_currency_forbids_creates_nothing(
    desk: StripeDesk, amount: int, currency: str, code: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await desk.create(amount=amount, currency=currency)

    assert (refused.value.http_status, refused.value.code) == (400, code)
    assert await desk.found() == []
    assert await desk.journal() == []


@pytest.mark.parametrize(
    ("amount", "currency"), [(30, "gbp"), (50, "jpy"), (5120, "kwd"), (500, "isk"), (99_999_999, "eur")]
)
async def test_an_amount_at_the_limit_is_accepted(desk: StripeDesk, amount: int, currency: str) -> None:
    intent = await desk.create(amount=amount, currency=currency)

    assert await desk.totals() == {"authorised": {currency: amount}}
    assert intent.amount == amount


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"payment_method": "pm_card_unheard_of"}, "payment_method"),
        ({"colour": "red"}, "colour"),
        ({"metadata": {"k" * 41: "v"}}, f"metadata[{'k' * 41}]"),
        ({"expand": ["latest_charge.owner"]}, "expand"),
        ({"capture_method": "later"}, "capture_method"),
        ({"payment_method_types": None}, "return_url"),
    ],
)
async def test_a_bad_parameter_is_named_and_creates_nothing(
    desk: StripeDesk, changes: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await desk.create(**changes)

    assert (refused.value.http_status, refused.value.param) == (400, param)
    assert await desk.found() == []


async def test_an_unknown_intent_is_404(desk: StripeDesk) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await desk.v1.payment_intents.retrieve_async("pi_unknown")

    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


async def test_metadata_is_merged_and_unset_key_by_key(desk: StripeDesk) -> None:
    intent = await desk.create(metadata={"order_id": desk.order_id, "lane": "a"})

    changes: Any = {"metadata": {"lane": "", "parcel": "2"}, "description": "Order 7"}
    await desk.v1.payment_intents.update_async(intent.id, changes)

    after = await desk.retrieve(intent.id)
    assert after.metadata.to_dict() == {"order_id": desk.order_id, "parcel": "2"}
    assert after.description == "Order 7"


async def test_search_finds_by_metadata_status_and_amount(desk: StripeDesk) -> None:
    small, large = await desk.create(amount=100), await desk.create(amount=9000)
    await desk.v1.payment_intents.cancel_async(small.id)

    async def ids(query: str) -> list[str]:
        text = f"metadata['order_id']:'{desk.order_id}' AND {query}"
        return [found.id for found in (await desk.v1.payment_intents.search_async({"query": text})).data]

    assert await ids("amount>50") == [large.id, small.id]
    assert await ids('status:"requires_capture"') == [large.id]
    assert await ids("-status:'requires_capture'") == [small.id]
    assert await ids("amount<=100 AND currency:'gbp'") == [small.id]
    with pytest.raises(stripe.InvalidRequestError, match="parse"):
        await ids("colour:'red'")


async def test_search_lags_behind_where_it_is_told_to(desk: StripeDesk) -> None:
    await desk.settings(search_lag_seconds=60)
    intent = await desk.create()
    assert await desk.found() == []

    await desk.settings(search_lag_seconds=0)
    assert [found.id for found in await desk.found()] == [intent.id]


async def test_lists_are_paged_newest_first(desk: StripeDesk) -> None:
    first, second, third = [await desk.create() for _ in range(3)]

    page = await desk.v1.payment_intents.list_async({"limit": 2})
    assert [intent.id for intent in page.data] == [third.id, second.id]
    assert page.has_more is True
    rest = await desk.v1.payment_intents.list_async({"limit": 1, "starting_after": second.id})
    assert [intent.id for intent in rest.data] == [first.id]
    newer = await desk.v1.payment_intents.list_async({"limit": 1, "ending_before": first.id})
    assert [intent.id for intent in newer.data] == [second.id]


async def test_without_the_key_nothing_is_answered(desk: StripeDesk) -> None:
    url = f"{desk.emulator.url}/v1/payment_intents"
    async with httpx.AsyncClient() as http:
        missing = await http.get(url)
        wrong = await http.get(url, headers={"authorization": "Bearer sk_test_of_someone_else"})
        basic = await http.get(url, auth=(desk.emulator.api_key, ""))
        version = await http.get(url, auth=(desk.emulator.api_key, ""), headers={"stripe-version": "new"})

    assert (missing.status_code, wrong.status_code) == (401, 401)
    assert "sk_test_of_someone_else" not in wrong.text
    assert (basic.status_code, version.status_code) == (200, 400)
