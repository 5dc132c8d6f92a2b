"""Prices a cart: the server's own sums, in whole minor units, taxes contained in the prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from commerce.domain.carts import CartItem
from commerce.domain.catalogue import PricedSku, ShippingRate
from commerce.domain.errors import NotForSale
from commerce.domain.orders import OrderLine, Totals

BASIS_POINTS = 10_000


class Rounding(StrEnum):
    """What becomes of half a minor unit."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"


class TaxLevel(StrEnum):
    """Where tax is rounded: once per line, or per piece and then multiplied."""

    LINE = "line"
    UNIT = "unit"


@dataclass(frozen=True)
class TaxRule:
    """How a shop rounds tax. Tax law lets it choose, but it must not change within an order."""

    rounding: Rounding = Rounding.HALF_UP
    level: TaxLevel = TaxLevel.LINE


@dataclass(frozen=True)
class PricedCart:
    lines: list[OrderLine]
    totals: Totals


def price_cart(
    items: Sequence[CartItem],
    priced: Mapping[str, PricedSku],
    tax_rates: Mapping[str, int],
    shipping: ShippingRate | None,
    *,
    currency: str,
    rule: TaxRule | None = None,
) -> PricedCart:
    """Lines in the cart's order, numbered from 1. `tax_rates` is basis points by tax class.

    `shipping` None is a cart whose destination is not known yet. Shipping's own tax is not split off.
    Raises NotForSale naming the SKUs that are not in `priced`, ValueError for a quantity below 1.
    """
    missing = [item.sku for item in items if item.sku not in priced]
    if missing:
        raise NotForSale(missing)
    if shipping is not None and shipping.currency != currency:
        raise ValueError(f"a shipping rate in {shipping.currency} for a cart in {currency}")
    lines = [
        _line(number, item, priced[item.sku], tax_rates, rule or TaxRule())
        for number, item in enumerate(items, start=1)
    ]
    pieces = sum(line.quantity for line in lines)
    return PricedCart(lines, _totals(lines, shipping_charge(shipping, pieces) if shipping else 0, currency))


def _line(
    number: int, item: CartItem, sku: PricedSku, tax_rates: Mapping[str, int], rule: TaxRule
) -> OrderLine:
    if item.quantity < 1:
        raise ValueError(f"{item.quantity} pieces of {item.sku}")
    rate = tax_rates.get(sku.tax_class, 0)
    subtotal = sku.unit_price * item.quantity
    if rule.level is TaxLevel.LINE:
        tax = contained_tax(subtotal, rate, rule.rounding)
    else:
        tax = contained_tax(sku.unit_price, rate, rule.rounding) * item.quantity
    return OrderLine(
        line_no=number,
        sku=item.sku,
        product_id=sku.product_id,
        title=sku.title,
        quantity=item.quantity,
        unit_price=sku.unit_price,
        subtotal=subtotal,
        discount=0,
        tax=tax,
        total=subtotal,
        tax_rate=rate,
    )


def _totals(lines: Sequence[OrderLine], shipping: int, currency: str) -> Totals:
    subtotal = sum(line.subtotal for line in lines)
    discount = sum(line.discount for line in lines)
    return Totals(
        currency=currency,
        subtotal=subtotal,
        discount=discount,
        shipping=shipping,
        tax=sum(line.tax for line in lines),
        total=subtotal - discount + shipping,
    )


def shipping_charge(rate: ShippingRate, pieces: int) -> int:
    """Once per started `per_units` pieces, or once in all; nothing for nothing."""
    if pieces == 0:
        return 0
    if rate.per_units is None:
        return rate.amount
    return rate.amount * -(-pieces // rate.per_units)


def contained_tax(gross: int, rate: int, rounding: Rounding) -> int:
    """The part of `gross` that is tax at `rate` basis points."""
    return _divide(gross * rate, BASIS_POINTS + rate, rounding)


def _divide(dividend: int, divisor: int, rounding: Rounding) -> int:
    """Of non-negative numbers, without floats."""
    quotient, rest = divmod(dividend, divisor)
    if 2 * rest > divisor:
        return quotient + 1
    if 2 * rest == divisor and (rounding is Rounding.HALF_UP or quotient % 2):
        return quotient + 1
    return quotient


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """Splits `amount` in proportion to `weights` so that the parts sum to it: largest remainder first,
    the earlier part on a tie. Raises ValueError for negative weights, or a sum of 0 with something to split.
    """
    whole = sum(weights)
    if any(weight < 0 for weight in weights) or (whole == 0 and amount != 0):
        raise ValueError(f"{amount} cannot be split by {list(weights)}")
    if whole == 0:
        return [0] * len(weights)
    sign = -1 if amount < 0 else 1
    shares = [divmod(abs(amount) * weight, whole) for weight in weights]
    parts = [share for share, _ in shares]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-shares[index][1], index))
    for index in by_remainder[: abs(amount) - sum(parts)]:
        parts[index] += 1
    return [sign * part for part in parts]
