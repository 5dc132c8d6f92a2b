"""A checkout whose answer is late, lost, or nowhere but in the database."""

import pytest

from commerce.contracts.context import RequestContext
from commerce.contracts.money import Money
from commerce.contracts.statuses import OrderState, PaymentState, PaymentStatus
from commerce.domain.errors import NotFound, ProviderUnavailable
from commerce.domain.providers import ProviderPayment
from tests.integration.api.bench import Shop, slug


async def test_no_answer_in_time_is_processing_then_in_flight_then_the_real_answer(shop: Shop) -> None:
    shop.workflows.answer = lambda order: None
    person = shop.person("ada")
    cart = await shop.cart(person)
    first = await shop.check_out(cart["id"], person, "slow")
    assert (first.status_code, first.json()["status"]) == (202, "processing")
    order_id = first.json()["order_id"]
    assert (await shop.http.get(f"/v1/orders/{order_id}", headers=person)).json()["status"] == "Pending"
    repeat = await shop.check_out(cart["id"], person, "slow")
    assert (repeat.status_code, slug(repeat)) == (409, "idempotency-in-flight")
    assert int(repeat.headers["retry-after"]) > 0
    shop.workflows.answer = None
    done = await shop.check_out(cart["id"], person, "slow")
    assert (done.status_code, done.json()["order_id"]) == (201, order_id)
    assert done.headers["idempotency-replayed"] == "true"
    assert len({update_id for _, update_id, _ in shop.workflows.checkouts}) == 1


async def test_with_temporal_down_the_intent_is_kept_and_processing_is_answered(shop: Shop) -> None:
    shop.workflows.fault = ProviderUnavailable("no Temporal")
    person = shop.person("ada")
    cart = await shop.cart(person)
    answers = [await shop.check_out(cart["id"], person, "down") for _ in range(2)]
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(202, "processing")] * 2
    order_id = answers[0].json()["order_id"]
    assert shop.rows("SELECT order_state, started_at FROM orders WHERE id = %s", order_id) == [
        ("pending", None)
    ]
    assert (await shop.http.get("/v1/products", params={"limit": 1})).status_code == 200


async def _closed_order(shop: Shop, key: str) -> tuple[dict[str, str], object, str]:
    """An order whose workflow has ended while nobody heard the answer."""
    person = shop.person("ada")
    cart = await shop.cart(person)
    shop.workflows.fault = ProviderUnavailable("no answer")
    order_id = (await shop.check_out(cart["id"], person, key)).json()["order_id"]
    shop.workflows.fault = NotFound("order", order_id)
    return person, cart["id"], order_id


async def test_with_the_workflow_over_a_placed_answer_is_rebuilt(shop: Shop) -> None:
    person, cart_id, order_id = await _closed_order(shop, "rebuilt-placed")
    async with shop.gateway.database.transaction(RequestContext("test")) as tx:
        await tx.orders.move(order_id, order=OrderState.CONFIRMED, payment=PaymentState.AUTHORISED)
    answer = await shop.check_out(cart_id, person, "rebuilt-placed")
    assert (answer.status_code, answer.json()["status"]) == (201, "placed")
    assert answer.json()["order"]["order_status"] == "confirmed"
    assert answer.headers["idempotency-replayed"] == "true"
    shop.workflows.fault = ProviderUnavailable("down")
    assert (await shop.check_out(cart_id, person, "rebuilt-placed")).json() == answer.json()


@pytest.mark.parametrize(
    ("reason", "status", "kind", "code"),
    [
        ("declined", 402, "payment-declined", "lost_card"),
        ("payment_expired", 402, "payment-declined", "authentication_expired"),
        ("failed", 402, "payment-declined", "processing_error"),
        ("out_of_stock", 409, "out-of-stock", None),
        ("price_changed", 409, "price-changed", None),
        ("cancelled", 409, "checkout-cancelled", None),
    ],
)
async def test_with_the_workflow_over_a_refusal_is_rebuilt(
    shop: Shop, reason: str, status: int, kind: str, code: str | None
) -> None:
    person, cart_id, order_id = await _closed_order(shop, f"rebuilt-{reason}")
    async with shop.gateway.database.transaction(RequestContext("test")) as tx:
        order = await tx.orders.move(
            order_id, order=OrderState.CANCELLED, payment=PaymentState.FAILED, cancel_reason=reason
        )
        if reason == "declined":
            facts = ProviderPayment(
                f"pi_{order_id}", PaymentStatus.DECLINED, Money(510, "GBP"), decline_code="lost_card"
            )
            await tx.payments.record(order.payment_id, facts)
    answer = await shop.check_out(cart_id, person, f"rebuilt-{reason}")
    assert (answer.status_code, slug(answer), answer.json().get("decline_code")) == (status, kind, code)
