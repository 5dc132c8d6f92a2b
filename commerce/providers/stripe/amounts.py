"""Amounts as Stripe counts them, by https://docs.stripe.com/currencies; it differs from ISO 4217."""

from commerce.contracts.money import Money, exponent_of
from commerce.domain.errors import ProviderRefused

_NO_DECIMALS = {
    *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"),
    *("PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"),
}
_WHOLE_UNITS_SENT_AS_HUNDREDTHS = {"ISK", "UGX"}
"""Have no minor unit any more, but are sent with two decimals that are always 00."""
_THREE_DECIMALS = {"BHD", "JOD", "KWD", "OMR", "TND"}
"""Sent in thousandths, the last digit always 0."""


def to_stripe(money: Money) -> tuple[int, str]:
    """Amount and lower-case currency. Raises ProviderRefused rather than round what cannot be expressed."""
    exponent = _exponent(money.currency)
    ours = exponent_of(money.currency)
    amount = money.amount * 10 ** max(exponent - ours, 0)
    amount, lost = divmod(amount, 10 ** max(ours - exponent, 0))
    if lost or (money.currency in _THREE_DECIMALS and amount % 10):
        raise ProviderRefused(f"Stripe cannot express {money}", code="amount_not_expressible")
    return amount, money.currency.lower()


def from_stripe(amount: int, currency: str) -> Money:
    code = currency.upper()
    exponent, ours = _exponent(code), exponent_of(code)
    if ours >= exponent:
        return Money(amount * 10 ** (ours - exponent), code)
    whole, lost = divmod(amount, 10 ** (exponent - ours))
    if lost:
        raise ProviderRefused(f"Stripe sent a fraction of {code}: {amount}", code="amount_not_expressible")
    return Money(whole, code)


def _exponent(currency: str) -> int:
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2
