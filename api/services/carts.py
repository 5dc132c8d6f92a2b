"""Making carts, changing them, and showing them with today's prices and stock."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

from api.deps import Call, ownership_of_cart
from api.errors import (
    CartAlreadyOrdered,
    Fault,
    InvalidRequest,
    ObjectNotFound,
    UnknownSku,
    UnsupportedCurrency,
)
from api.policy import cart_key
from api.schemas.base import Money
from api.schemas.carts import CartLine, CartView, NewCartView, PriceStep
from api.views import totals_view
from commerce.contracts import money as contracts
from commerce.contracts.ids import CART, new_id
from commerce.domain.carts import Cart, CartItem
from commerce.domain.catalogue import PricedSku
from commerce.domain.errors import StaleVersion
from commerce.domain.pricing import PricedCart, price_cart
from commerce.domain.stock import StockLevel

MAX_LINES = 500
_ATTEMPTS = 4
ANYWHERE = "*"
"""Tax of a cart whose destination is not known yet."""


async def create(call: Call, currency: str) -> NewCartView:
    """For the signed-in person, else for whoever holds the answer's token. Raises UnsupportedCurrency."""
    async with call.gateway.database.reading() as tx:
        sold_in = await tx.catalogue.currencies()
    if currency not in sold_in:
        offered = ", ".join(sorted(sold_in))
        raise UnsupportedCurrency(faults=[Fault(f"prices are in {offered}", "/currency")])
    identity = call.access.identity
    token = None if identity else secrets.token_urlsafe(32)
    cart = await call.gateway.carts.create(
        Cart(
            id=new_id(CART),
            currency=currency,
            expires_at=datetime.now(UTC) + timedelta(days=call.gateway.settings.cart_days),
            customer_id=identity.subject if identity else None,
            guest_key=cart_key(token) if token else None,
        )
    )
    shown = await view(call, cart)
    return NewCartView(**dict(shown), cart_token=token)


async def current(call: Call) -> CartView:
    """Raises ObjectNotFound when the person has no open cart."""
    cart = await call.gateway.carts.current_of(call.access.person.subject)
    if cart is None:
        raise ObjectNotFound("You have no open cart.")
    return await view(call, cart)


async def put_item(call: Call, cart: Cart, sku: str, quantity: int, *, strict: bool) -> CartView:
    """Raises UnknownSku; with `strict` StaleVersion where somebody wrote since, else it tries again."""
    _check_open(cart)
    async with call.gateway.database.reading() as tx:
        known = await tx.catalogue.priced([sku], cart.currency)
    if sku not in known:
        fault = Fault(f"{sku} is not for sale in {cart.currency}", "/path/sku", {"sku": sku})
        raise UnknownSku(faults=[fault])
    if len(cart.items) >= MAX_LINES and all(item.sku != sku for item in cart.items):
        raise InvalidRequest(faults=[Fault(f"a cart has at most {MAX_LINES} lines", "/path/sku")])
    item = CartItem(sku, quantity)
    changed = await _write(call, cart, lambda latest: call.gateway.carts.put_item(latest, item), strict)
    return await view(call, changed)


async def remove_item(call: Call, cart: Cart, sku: str, *, strict: bool) -> CartView:
    _check_open(cart)
    if all(item.sku != sku for item in cart.items):
        return await view(call, cart)
    changed = await _write(call, cart, lambda latest: call.gateway.carts.remove_item(latest, sku), strict)
    return await view(call, changed)


async def _write(call: Call, cart: Cart, change: Callable[[Cart], Awaitable[Cart]], strict: bool) -> Cart:
    for _ in range(1 if strict else _ATTEMPTS):
        try:
            return await change(cart)
        except StaleVersion:
            if strict:
                raise
            cart = await call.gateway.carts.get(cart.id)
            call.access.require(ownership_of_cart(cart))
            _check_open(cart)
    return await change(cart)


def _check_open(cart: Cart) -> None:
    if cart.order_id is not None:
        raise CartAlreadyOrdered(cart.order_id)


async def view(call: Call, cart: Cart) -> CartView:
    """Lines that are no longer for sale are shown and left out of the total."""
    skus = [item.sku for item in cart.items]
    async with call.gateway.database.reading() as tx:
        priced = await tx.catalogue.priced(skus, cart.currency)
        levels = await tx.stock.levels(skus)
        taxes = await tx.catalogue.tax_rates(ANYWHERE)
    sold = [item for item in cart.items if item.sku in priced]
    sums = price_cart(sold, priced, taxes, None, currency=cart.currency)
    return CartView(
        id=cart.id,
        currency=cart.currency,
        lines=[
            _line(number, item, cart.currency, priced, levels) for number, item in enumerate(cart.items, 1)
        ],
        totals=totals_view(sums.totals),
        explanation=_explain(sums),
        expires_at=cart.expires_at,
        order_id=cart.order_id,
        version=cart.version,
    )


def _line(
    number: int,
    item: CartItem,
    currency: str,
    priced: Mapping[str, PricedSku],
    levels: Mapping[str, StockLevel],
) -> CartLine:
    known, level = priced.get(item.sku), levels.get(item.sku)
    available = max(level.available, 0) if level else 0
    return CartLine(
        line_no=number,
        sku=item.sku,
        product_id=known.product_id if known else None,
        title=known.title if known else None,
        quantity=item.quantity,
        unit_price=Money.of(known.unit_price, currency) if known else None,
        total=Money.of(known.unit_price * item.quantity, currency) if known else None,
        available=available,
        in_stock=available >= item.quantity,
        for_sale=known is not None,
    )


def _explain(sums: PricedCart) -> list[PriceStep]:
    """Why the total is what it is, line by line."""
    code = sums.totals.currency
    steps = [
        PriceStep(
            text=f"{line.quantity} × {line.title} at {contracts.Money(line.unit_price, code)}",
            amount=Money.of(line.subtotal, code),
        )
        for line in sums.lines
    ]
    if sums.totals.tax:
        steps.append(PriceStep(text="Tax contained in these prices", amount=Money.of(sums.totals.tax, code)))
    return steps
