"""What a cart costs, by the shop's own prices alone."""

from collections.abc import Mapping

from api.deps import Call
from api.errors import EmptyCart, Fault, UnknownShippingMethod, UnknownSku
from commerce.domain.carts import Cart
from commerce.domain.catalogue import PricedSku
from commerce.domain.pricing import PricedCart, price_cart


async def priced_cart(call: Call, cart: Cart, country: str, method: str) -> PricedCart:
    """As it would be ordered. Raises EmptyCart, UnknownSku naming the lines, UnknownShippingMethod."""
    if not cart.items:
        raise EmptyCart(faults=[Fault("the cart has nothing in it", "/cart_id")])
    async with call.gateway.database.reading() as tx:
        priced = await tx.catalogue.priced([item.sku for item in cart.items], cart.currency)
        rate = await tx.catalogue.shipping_rate(method, country, cart.currency)
        taxes = await tx.catalogue.tax_rates(country)
    _check_lines(cart, priced)
    if rate is None:
        raise UnknownShippingMethod(
            faults=[Fault(f"not offered to {country} in {cart.currency}", "/shipping_method")]
        )
    return price_cart(cart.items, priced, taxes, rate, currency=cart.currency)


def _check_lines(cart: Cart, priced: Mapping[str, PricedSku]) -> None:
    gone = [(index, item.sku) for index, item in enumerate(cart.items) if item.sku not in priced]
    if gone:
        detail = "{} is not for sale in {}"
        raise UnknownSku(
            faults=[
                Fault(detail.format(sku, cart.currency), f"/lines/{index}", {"sku": sku})
                for index, sku in gone
            ]
        )
