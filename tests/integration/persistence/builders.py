"""A small shop and its orders, for tests of the repositories."""

from dataclasses import replace
from itertools import count

from commerce.contracts.context import RequestContext
from commerce.contracts.money import Money
from commerce.contracts.statuses import PaymentStatus
from commerce.domain.carts import CartItem
from commerce.domain.catalogue import Price, PricedSku, Product, Variant
from commerce.domain.orders import Address, NewOrder, Order
from commerce.domain.pricing import price_cart
from commerce.domain.providers import ProviderPayment
from commerce.domain.stock import HoldLine
from commerce.persistence.database import SqlDatabase

CONTEXT = RequestContext("req_1", "customer:c1", "00-trace", "support:s1")
ADDRESS = Address("Ada Lovelace", "1 Main Street", "London", "N1", "GB")
TEA, CUP = "TEA-1", "CUP-1"
PRICES = {TEA: 250, CUP: 1000}

_numbers = count(1)


def product(sku: str, amount: int = 250, **changes: object) -> Product:
    plain = Product(
        id=f"prod_{sku.lower()}",
        slug=sku.lower(),
        title=f"Nice {sku.title()}",
        variants=[Variant(sku, [Price("GBP", amount)])],
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def new_order(cart_id: str | None = None, *items: tuple[str, int]) -> NewOrder:
    """An order of its own: two TEA and one CUP unless told otherwise, 15.00 with tax of a fifth."""
    number = next(_numbers)
    wanted = [CartItem(sku, quantity) for sku, quantity in items or ((TEA, 2), (CUP, 1))]
    priced = {
        sku: PricedSku(sku, f"prod_{sku.lower()}", f"Nice {sku.title()}", amount, "standard")
        for sku, amount in PRICES.items()
    }
    cart = price_cart(wanted, priced, {"standard": 2000}, None, currency="GBP")
    return NewOrder(
        id=f"ord_{number:04}",
        payment_id=f"pay_{number:04}",
        cart_id=cart_id or f"cart_{number:04}",
        customer_id="c1",
        guest_key=None,
        email="ada@example.org",
        shipping_address=ADDRESS,
        billing_address=None,
        shipping_method="standard",
        lines=cart.lines,
        totals=cart.totals,
        provider="stripe",
        payment_token="pm_card_visa",
    )


async def create_order(db: SqlDatabase, cart_id: str | None = None, *items: tuple[str, int]) -> Order:
    async with db.transaction(CONTEXT) as tx:
        return await tx.orders.create(new_order(cart_id, *items))


def hold_lines(*items: tuple[str, int]) -> list[HoldLine]:
    return [HoldLine(number, sku, quantity) for number, (sku, quantity) in enumerate(items, start=1)]


def facts(status: PaymentStatus, amount: int = 1500, **changes: object) -> ProviderPayment:
    plain = ProviderPayment("pi_1", status, Money(amount, "GBP"))
    return replace(plain, **changes)  # type: ignore[arg-type]


async def captured_order(db: SqlDatabase, amount: int = 1500) -> Order:
    """An order whose payment is captured, at the provider's reference of its own."""
    order = await create_order(db)
    news = facts(PaymentStatus.CAPTURED, authorised=amount, captured=amount, provider_ref=f"pi_{order.id}")
    async with db.transaction(CONTEXT) as tx:
        await tx.payments.record(order.payment_id, news)
    return order
