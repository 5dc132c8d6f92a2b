from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commerce.domain.carts import CartItem
from commerce.domain.catalogue import PricedSku, ShippingRate
from commerce.domain.errors import NotForSale
from commerce.domain.orders import Totals
from commerce.domain.pricing import (
    Rounding,
    TaxLevel,
    TaxRule,
    allocate,
    contained_tax,
    price_cart,
    shipping_charge,
)

TEA = PricedSku("TEA", "prod_tea", "Tea", 333, "standard")
BOOK = PricedSku("BOOK", "prod_book", "Book", 1000, "reduced")
RATES = {"standard": 2000, "reduced": 500}
PARCEL = ShippingRate("standard", "Standard", "GBP", 1800, 150)


def test_a_cart_is_priced_line_by_line() -> None:
    cart = price_cart(
        [CartItem("BOOK", 1), CartItem("TEA", 3)],
        {"TEA": TEA, "BOOK": BOOK},
        RATES,
        PARCEL,
        currency="GBP",
    )
    assert [
        (line.line_no, line.sku, line.product_id, line.title, line.quantity, line.unit_price)
        for line in cart.lines
    ] == [(1, "BOOK", "prod_book", "Book", 1, 1000), (2, "TEA", "prod_tea", "Tea", 3, 333)]
    assert [(line.subtotal, line.tax, line.total, line.tax_rate) for line in cart.lines] == [
        (1000, 48, 1000, 500),
        (999, 167, 999, 2000),
    ]
    assert cart.totals == Totals("GBP", subtotal=1999, discount=0, shipping=1800, tax=215, total=3799)


def test_rounding_per_line_and_per_piece_differ() -> None:
    prices = {"PIN": PricedSku("PIN", "p", "Pin", 5, "standard")}
    items = [CartItem("PIN", 10)]
    by_line = price_cart(items, prices, RATES, None, currency="GBP")
    by_unit = price_cart(items, prices, RATES, None, currency="GBP", rule=TaxRule(level=TaxLevel.UNIT))
    assert (by_line.totals.tax, by_unit.totals.tax) == (8, 10)


@pytest.mark.parametrize(
    ("rounding", "taxes"), [(Rounding.HALF_UP, [1, 2, 3]), (Rounding.HALF_EVEN, [0, 2, 2])]
)
def test_half_a_penny_goes_where_the_setting_says(rounding: Rounding, taxes: list[int]) -> None:
    assert [contained_tax(gross, 10_000, rounding) for gross in (1, 3, 5)] == taxes


def test_a_tax_class_without_a_rate_is_untaxed() -> None:
    cart = price_cart([CartItem("TEA", 1)], {"TEA": TEA}, {}, None, currency="GBP")
    assert (cart.lines[0].tax, cart.lines[0].tax_rate, cart.totals.tax) == (0, 0, 0)


def test_what_is_not_for_sale_is_named() -> None:
    with pytest.raises(NotForSale) as refusal:
        price_cart(
            [CartItem("X", 1), CartItem("TEA", 1), CartItem("Y", 1)],
            {"TEA": TEA},
            RATES,
            None,
            currency="GBP",
        )
    assert refusal.value.skus == ["X", "Y"]


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_quantity_below_one_is_refused(quantity: int) -> None:
    with pytest.raises(ValueError, match="pieces of TEA"):
        price_cart([CartItem("TEA", quantity)], {"TEA": TEA}, RATES, None, currency="GBP")


def test_a_rate_in_another_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="GBP"):
        price_cart([CartItem("TEA", 1)], {"TEA": TEA}, RATES, PARCEL, currency="EUR")


@pytest.mark.parametrize(
    ("pieces", "charge"), [(0, 0), (1, 1800), (150, 1800), (151, 3600), (300, 3600), (446, 5400)]
)
def test_shipping_is_charged_per_started_number_of_pieces(pieces: int, charge: int) -> None:
    assert shipping_charge(PARCEL, pieces) == charge


def test_shipping_without_a_number_of_pieces_is_charged_once() -> None:
    flat = ShippingRate("express", "Express", "GBP", 495)
    assert [shipping_charge(flat, pieces) for pieces in (0, 1, 1000)] == [0, 495, 495]


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (10, [3, 3, 1], [4, 4, 2]),
        (5, [0, 1], [0, 5]),
        (0, [0, 0], [0, 0]),
        (0, [], []),
    ],
)
def test_amounts_are_split_by_largest_remainder(amount: int, weights: list[int], parts: list[int]) -> None:
    assert allocate(amount, weights) == parts


@pytest.mark.parametrize(("amount", "weights"), [(1, []), (1, [0]), (1, [2, -1])])
def test_an_impossible_split_is_refused(amount: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="cannot be split"):
        allocate(amount, weights)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(-(10**12), 10**12),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any),
)
def test_parts_sum_to_the_amount_and_are_within_one_of_their_share(amount: int, weights: list[int]) -> None:
    parts = allocate(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(amount * weight, sum(weights))) < 1


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 10**7), st.integers(1, 1000), st.sampled_from(["standard", "reduced", "x"])),
        min_size=1,
        max_size=10,
    ),
    st.sampled_from(Rounding),
    st.sampled_from(TaxLevel),
)
def test_lines_sum_to_totals_and_tax_is_contained(
    goods: list[tuple[int, int, str]], rounding: Rounding, level: TaxLevel
) -> None:
    prices = {
        f"S{number}": PricedSku(f"S{number}", "p", "t", price, tax_class)
        for number, (price, _, tax_class) in enumerate(goods)
    }
    items = [CartItem(f"S{number}", quantity) for number, (_, quantity, _) in enumerate(goods)]
    cart = price_cart(items, prices, RATES, PARCEL, currency="GBP", rule=TaxRule(rounding, level))
    totals = cart.totals
    assert sum(line.total for line in cart.lines) + totals.shipping == totals.total
    assert sum(line.tax for line in cart.lines) == totals.tax
    assert totals.shipping == 1800 * -(-sum(item.quantity for item in items) // 150)
    for line in cart.lines:
        assert 0 <= line.tax <= line.total == line.unit_price * line.quantity
        exact = Fraction(line.total * line.tax_rate, 10_000 + line.tax_rate)
        slack = line.quantity if level is TaxLevel.UNIT else 1
        assert abs(line.tax - exact) <= Fraction(slack, 2)
