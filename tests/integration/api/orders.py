"""Orders brought into a state by the repositories, as the activities would."""

from dataclasses import dataclass

from commerce.contracts.context import RequestContext
from commerce.contracts.money import Money
from commerce.contracts.statuses import OrderState, PaymentState, PaymentStatus
from commerce.domain.providers import ProviderPayment
from tests.integration.api.bench import SKU, Shop

SYSTEM = RequestContext("test")


@dataclass(frozen=True)
class Bought:
    order_id: str
    payment_id: str
    headers: dict[str, str]


async def bought(shop: Shop, key: str, person: str = "ada", quantity: int = 2) -> Bought:
    """Pending: nothing has happened but the request."""
    headers = shop.person(person)
    cart = await shop.cart(headers, {SKU: quantity})
    answer = await shop.check_out(cart["id"], headers, key)
    assert answer.status_code == 201, answer.text
    order_id = answer.json()["order_id"]
    return Bought(order_id, answer.json()["order"]["payments"][0]["id"], headers)


async def captured(shop: Shop, key: str, person: str = "ada", quantity: int = 2) -> Bought:
    """Placed, and its money taken."""
    order = await bought(shop, key, person, quantity)
    total = 255 * quantity
    async with shop.gateway.database.transaction(SYSTEM) as tx:
        for status, taken in ((PaymentStatus.AUTHORISED, 0), (PaymentStatus.CAPTURED, total)):
            facts = ProviderPayment(
                f"pi_{order.order_id}", status, Money(total, "GBP"), authorised=total, captured=taken
            )
            await tx.payments.record(order.payment_id, facts)
        await tx.orders.move(order.order_id, order=OrderState.CONFIRMED, payment=PaymentState.AUTHORISED)
        await tx.orders.move(order.order_id, payment=PaymentState.CAPTURED)
        await tx.timeline.add(order.order_id, "captured", "5.10 GBP was taken.")
    return order
