"""3D Secure at the Stripe emulator: the shopper's step between confirm and money."""

import httpx
import pytest
import stripe

from tests.integration.emulators.stripe_desk import StripeDesk

RETURN_URL = "http://127.0.0.1:9/thanks?cart=7"


async def test_money_waits_for_the_shopper(desk: StripeDesk) -> None:
    intent = await desk.create("pm_card_authenticationRequired", return_url=RETURN_URL)

    assert (intent.status, intent.latest_charge, intent.amount_capturable) == ("requires_action", None, 0)
    assert intent.next_action.type == "redirect_to_url"
    redirect = intent.next_action.redirect_to_url
    assert redirect.url == f"{desk.emulator.url}/_emulator/3ds/{intent.id}"
    assert redirect.return_url == RETURN_URL
    assert await desk.journal() == [("payment_intent.requires_action", 3999)]


async def test_a_shopper_who_completes_pays(desk: StripeDesk) -> None:
    intent = await desk.create("pm_card_authenticationRequired", return_url=RETURN_URL)

    answer = await desk.post(f"payment_intents/{intent.id}/authenticate", outcome="succeed")

    assert answer["status"] == "requires_capture"
    assert await desk.totals() == {"authorised": {"gbp": 3999}}
    again = await desk.control.post(f"/payment_intents/{intent.id}/authenticate", json={"outcome": "succeed"})
    assert again.status_code == 409
    assert await desk.totals() == {"authorised": {"gbp": 3999}}


async def test_a_shopper_who_fails_pays_nothing_and_may_try_again(desk: StripeDesk) -> None:
    intent = await desk.create("pm_card_authenticationRequired", return_url=RETURN_URL)

    await desk.post(f"payment_intents/{intent.id}/authenticate", outcome="fail")

    after = await desk.retrieve(intent.id)
    assert after.status == "requires_payment_method"
    assert after.last_payment_error.code == "payment_intent_authentication_failure"
    assert await desk.totals() == {}
    paid = await desk.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    assert paid.status == "requires_capture"


@pytest.mark.parametrize(
    ("outcome", "redirect_status", "status"),
    [("succeed", "succeeded", "requires_capture"), ("fail", "failed", "requires_payment_method")],
)
async def test_the_buttons_of_the_page_lead_back_to_the_shop(
    desk: StripeDesk, outcome: str, redirect_status: str, status: str
) -> None:
    intent = await desk.create("pm_card_authenticationRequired", return_url=RETURN_URL)
    page = intent.next_action.redirect_to_url.url

    async with httpx.AsyncClient() as browser:
        shown = await browser.get(page)
        pressed = await browser.post(page, data={"outcome": outcome})

    assert f'value="{outcome}"' in shown.text
    assert pressed.status_code == 303
    back = httpx.URL(pressed.headers["location"])
    assert dict(back.params) == {
        "cart": "7",
        "payment_intent": intent.id,
        "payment_intent_client_secret": intent.client_secret,
        "redirect_status": redirect_status,
    }
    assert (await desk.retrieve(intent.id)).status == status


async def test_authenticated_and_still_declined(desk: StripeDesk) -> None:
    card = "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"
    intent = await desk.create(card, return_url=RETURN_URL)

    await desk.post(f"payment_intents/{intent.id}/authenticate", outcome="succeed")

    after = await desk.retrieve(intent.id)
    assert after.status == "requires_payment_method"
    assert after.last_payment_error.decline_code == "insufficient_funds"
    assert await desk.totals() == {}


async def test_a_shopper_who_is_away_is_declined(desk: StripeDesk) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await desk.create("pm_card_authenticationRequired", off_session=True)

    assert declined.value.code == "authentication_required"
    assert await desk.journal() == [("payment_intent.declined", 3999)]


async def test_without_a_return_url_the_step_is_for_the_browser_library(desk: StripeDesk) -> None:
    intent = await desk.create("pm_card_authenticationRequired")

    assert intent.next_action.type == "use_stripe_sdk"


async def test_an_intent_that_waits_for_the_shopper_can_be_canceled(desk: StripeDesk) -> None:
    intent = await desk.create("pm_card_authenticationRequired", return_url=RETURN_URL)

    await desk.v1.payment_intents.cancel_async(intent.id)

    late = await desk.control.post(f"/payment_intents/{intent.id}/authenticate", json={"outcome": "succeed"})
    assert late.status_code == 409
    assert (await desk.retrieve(intent.id)).status == "canceled"
    assert await desk.totals() == {}
