"""What support tries with the lines of the book that cannot be served, and what the gateway says to it."""

from __future__ import annotations

from commerce.contracts.money import Money
from devstack.demo.plan import GOOD_CARD, Plan
from devstack.demo.report import Refusal
from devstack.demo.shop import Caller, Refused, Shop, slug_of
from devstack.demo.shoppers import CURRENCY, checkout
from devstack.orderbook import Invoice

_NAMED = 3


async def try_the_impossible(shop: Shop, support: Caller, plan: Plan) -> list[Refusal]:
    """Every one is really sent: an `answer` of None says that the gateway took it."""
    refusals = [await _give_back_nothing(shop, support, invoice) for invoice in plan.without_purchase]
    refusals += [await _buy_nonsense(shop, invoice) for invoice in plan.nonsense]
    return refusals


async def _give_back_nothing(shop: Shop, support: Caller, cancellation: Invoice) -> Refusal:
    """No order of this morning holds the goods, so the only order to name is one that is not there."""
    reason = f"no purchase to cancel: customer {cancellation.customer_id} bought {_nothing_of(cancellation)}"
    body: dict[str, object] = {"reason": f"Cancellation {cancellation.number}"}
    try:
        await shop.refund(support, f"ord_{cancellation.number.lower()}", body)
    except Refused as refused:
        return Refusal(cancellation.number, reason, _words(refused))
    return Refusal(cancellation.number, reason, None)


async def _buy_nonsense(shop: Shop, invoice: Invoice) -> Refusal:
    """The line as it stands: the pieces, for nobody, at the price that it names."""
    named = sum(line.quantity * line.unit_price for line in invoice.lines)
    pieces = ", ".join(f"{quantity} × {sku}" for sku, quantity in invoice.pieces.items())
    reason = f"makes no sense: {pieces} for {Money(named, CURRENCY)}, no text, no customer"
    cart = await shop.new_cart(Caller(), CURRENCY)
    caller = Caller(cart_token=cart.cart_token)
    try:
        for sku, quantity in invoice.pieces.items():
            await shop.put_item(caller, cart.id, sku, quantity)
        wanted = checkout(cart.id, invoice.number, invoice.country, GOOD_CARD)
        wanted["expected_total"] = {"amount": named, "currency": CURRENCY}
        first = await shop.check_out(caller, wanted)
    except Refused as refused:
        return Refusal(invoice.number, reason, _words(refused))
    answer = _words(first.answer) if isinstance(first.answer, Refused) else None
    return Refusal(invoice.number, reason, answer)


def _nothing_of(cancellation: Invoice) -> str:
    skus = list(cancellation.pieces)
    if not skus:
        return "nothing that it could be for"
    return f"no {', '.join(skus[:_NAMED])}" + (" …" if len(skus) > _NAMED else "")


def _words(refused: Refused) -> str:
    return f"{refused.problem.status} {slug_of(refused.problem)}"
