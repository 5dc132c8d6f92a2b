"""What only Stripe does: keys that are forgotten, a search that lags, refusals by name."""

import secrets
import time
from collections.abc import AsyncIterator

import pytest

from commerce.contracts import ids
from commerce.contracts.money import Money
from commerce.contracts.statuses import PaymentStatus
from commerce.domain.errors import ProviderRefused, ProviderUnavailable
from commerce.providers.stripe import lookup
from devstack import ports
from devstack.servers.emulators import Emulator
from tests.integration.providers.payment_contract import PRICE, Sale, asked, attempt
from tests.integration.providers.stripe_desk import StripeDesk

A_DAY_AND_AN_HOUR = 25 * 3600


@pytest.fixture
async def own_desk(fresh_stripe_emulator: Emulator) -> AsyncIterator[StripeDesk]:
    desk = StripeDesk(fresh_stripe_emulator)
    yield desk
    await desk.close()


def _id_made_before(seconds: float, prefix: str = ids.PAYMENT) -> str:
    stamp = int((time.time() - seconds) * 1000)
    return f"{prefix}_{ids._encode((stamp << 80) | secrets.randbits(80), 26)}"


async def test_after_the_keys_are_forgotten_nothing_happens_twice(own_desk: StripeDesk) -> None:
    request = asked("pm_card_visa", payment_id=_id_made_before(A_DAY_AND_AN_HOUR))
    sale = Sale(request, await own_desk.provider.authorise(request))
    await own_desk.post("clock", advance_seconds=A_DAY_AND_AN_HOUR)
    refund = sale.refund(500)

    authorised = await own_desk.provider.authorise(request)
    await own_desk.provider.capture(request.payment_id, sale.ref, PRICE)
    await own_desk.provider.refund(refund)
    await own_desk.post("clock", advance_seconds=A_DAY_AND_AN_HOUR)
    captured = await own_desk.provider.capture(request.payment_id, sale.ref, PRICE)
    await own_desk.provider.refund(refund)

    assert authorised == sale.payment
    assert captured.status is PaymentStatus.CAPTURED
    effects = ("authorised", "captured", "refunded")
    assert [await own_desk.count(request.order_id, effect) for effect in effects] == [1, 1, 1]


async def test_a_payment_is_found_although_search_lags(own_desk: StripeDesk) -> None:
    await own_desk.post("settings", search_lag_seconds=60)
    request = asked("pm_card_visa")
    await own_desk.fault("authorise", "error_after", request)
    await attempt(lambda: own_desk.provider.authorise(request))

    payment = await own_desk.provider.authorise(request)

    assert payment.status is PaymentStatus.AUTHORISED
    assert await own_desk.count(request.order_id, "authorised") == 1


async def test_an_old_payment_is_found_by_search(
    stripe_desk: StripeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked("pm_card_visa")
    payment = await stripe_desk.provider.authorise(request)
    later = time.time() + 7200
    monkeypatch.setattr(lookup.time, "time", lambda: later)
    await stripe_desk.fault("read", "error_before", request)

    assert await stripe_desk.provider.read(request.payment_id, None) == payment


async def test_too_many_recent_payments_leave_the_outcome_open(
    stripe_desk: StripeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "_MOST_LISTED", 1)
    request = asked("pm_card_visa")
    await stripe_desk.provider.authorise(request)

    error = await attempt(lambda: stripe_desk.provider.read(request.payment_id, None))

    assert error is not None
    assert error.code == "too_many_to_list"


async def test_a_wrong_key_is_refused_for_good(stripe_desk: StripeDesk) -> None:
    stranger = stripe_desk.adapter(secret_key="sk_test_other")
    request = asked("pm_card_visa")

    with pytest.raises(ProviderRefused) as caught:
        await stranger.authorise(request)

    await stranger.close()
    assert caught.value.code == "http_401"
    assert "sk_test_other" not in str(caught.value)
    assert await stripe_desk.sums(request.order_id) == {}


async def test_a_provider_that_cannot_be_reached_had_no_effect(stripe_desk: StripeDesk) -> None:
    nowhere = stripe_desk.adapter(api_base=f"http://{ports.HOST}:{ports.free_port()}")

    error = await attempt(lambda: nowhere.authorise(asked("pm_card_visa")))

    await nowhere.close()
    assert isinstance(error, ProviderUnavailable)
    assert error.code == "not_reached"


async def test_without_a_token_the_shopper_pays_in_the_browser(stripe_desk: StripeDesk) -> None:
    request = asked(None)

    payment = await stripe_desk.provider.authorise(request)

    assert payment.status is PaymentStatus.REQUIRES_ACTION
    assert payment.action is not None
    assert (payment.action.type, payment.action.url) == ("use_stripe_sdk", None)
    assert (payment.action.client_secret or "").startswith(payment.provider_ref)


async def test_three_d_secure_sends_the_shopper_to_a_page(stripe_desk: StripeDesk) -> None:
    payment = await stripe_desk.provider.authorise(asked("pm_card_authenticationRequired"))

    assert payment.action is not None
    assert payment.action.type == "redirect_to_url"
    assert payment.action.url == f"{stripe_desk.emulator.url}/_emulator/3ds/{payment.provider_ref}"
    assert payment.action.client_secret


@pytest.mark.parametrize(
    ("currency", "ours", "theirs"), [("JPY", 500, 500), ("ISK", 40, 4000), ("KWD", 5120, 5120)]
)
async def test_amounts_arrive_as_the_currency_is_counted_there(
    stripe_desk: StripeDesk, currency: str, ours: int, theirs: int
) -> None:
    request = asked("pm_card_visa", Money(ours, currency))

    payment = await stripe_desk.provider.authorise(request)

    assert (payment.amount, payment.authorised) == (Money(ours, currency), ours)
    assert await stripe_desk.sums(request.order_id) == {"authorised": theirs}


async def test_keys_name_the_operation_and_our_id(stripe_desk: StripeDesk) -> None:
    request = asked("pm_card_visa")
    await stripe_desk.fault("authorise", "error_before", request)
    await attempt(lambda: stripe_desk.provider.authorise(request))
    payment = await stripe_desk.provider.authorise(request)
    await stripe_desk.provider.capture(request.payment_id, payment.provider_ref, PRICE)

    journal = await stripe_desk.control.get("/journal", params={"order_id": request.order_id})

    assert [entry["idempotency_key"] for entry in journal.json()["data"]] == [
        f"cloudcommerce:authorise:{request.payment_id}:2",
        f"cloudcommerce:capture:{request.payment_id}",
    ]
