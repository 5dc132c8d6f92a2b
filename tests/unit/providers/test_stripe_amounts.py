import pytest

from commerce.contracts.money import Money
from commerce.contracts.statuses import PaymentStatus
from commerce.domain.errors import ProviderRefused
from commerce.providers.stripe.amounts import from_stripe, to_stripe
from commerce.providers.stripe.statuses import (
    INTENT_STATUSES,
    LIVELINESS,
    PAYMENT_STATUS,
    IntentStatus,
)


@pytest.mark.parametrize(
    ("money", "theirs"),
    [
        (Money(3999, "GBP"), (3999, "gbp")),
        (Money(500, "JPY"), (500, "jpy")),
        (Money(40, "ISK"), (4000, "isk")),
        (Money(7, "UGX"), (700, "ugx")),
        (Money(500, "MGA"), (5, "mga")),
        (Money(5120, "KWD"), (5120, "kwd")),
        (Money(17500, "HUF"), (17500, "huf")),
    ],
)
def test_amounts_go_both_ways(money: Money, theirs: tuple[int, str]) -> None:
    assert to_stripe(money) == theirs
    assert from_stripe(*theirs) == money


@pytest.mark.parametrize("money", [Money(5124, "KWD"), Money(501, "MGA")])
def test_what_stripe_cannot_express_is_refused_and_never_rounded(money: Money) -> None:
    with pytest.raises(ProviderRefused) as caught:
        to_stripe(money)

    assert caught.value.code == "amount_not_expressible"


def test_a_fraction_of_a_whole_unit_currency_is_refused() -> None:
    with pytest.raises(ProviderRefused):
        from_stripe(4010, "isk")


def test_every_status_of_stripe_is_mapped_and_the_way_back_agrees() -> None:
    assert set(PAYMENT_STATUS) == set(LIVELINESS) == set(IntentStatus)
    for theirs, ours in PAYMENT_STATUS.items():
        assert theirs in INTENT_STATUSES[ours]
    assert set(INTENT_STATUSES) == set(PaymentStatus) - {PaymentStatus.REQUESTED}
