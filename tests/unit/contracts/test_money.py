import pytest

from commerce.contracts.money import CurrencyMismatch, Money


def test_amounts_of_one_currency_add_subtract_and_compare() -> None:
    assert Money(1999, "GBP") + Money(1, "GBP") == Money(2000, "GBP")
    assert Money(100, "GBP") - Money(150, "GBP") == Money(-50, "GBP")
    assert Money(3, "EUR") * 4 == Money(12, "EUR")
    assert Money(1, "GBP") < Money(2, "GBP") <= Money(2, "GBP")


def test_amounts_of_two_currencies_never_meet() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "GBP") + Money(1, "EUR")
    with pytest.raises(CurrencyMismatch):
        _ = Money(1, "GBP") < Money(1, "EUR")


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (1999, "GBP", "19.99 GBP"),
        (-5, "EUR", "-0.05 EUR"),
        (700, "JPY", "700 JPY"),
        (1234, "KWD", "1.234 KWD"),
        (0, "USD", "0.00 USD"),
    ],
)
def test_words_have_as_many_decimals_as_the_currency(amount: int, currency: str, words: str) -> None:
    assert str(Money(amount, currency)) == words


@pytest.mark.parametrize("amount", [1.0, "1", True, None])
def test_money_is_whole_minor_units(amount: object) -> None:
    with pytest.raises(TypeError):
        Money(amount, "GBP")  # type: ignore[arg-type] # what a careless caller passes


@pytest.mark.parametrize("currency", ["gbp", "GB", "GBPX", "£££", ""])
def test_a_currency_is_an_iso_code(currency: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, currency)
