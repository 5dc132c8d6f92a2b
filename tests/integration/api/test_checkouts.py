"""The first answer to a checkout: made once, stored, repeated; what business refuses; what is down."""

import asyncio
from dataclasses import replace

import pytest

from commerce.contracts.checkout import CheckoutAnswer, CheckoutStatus, PaymentAction, Shortage
from commerce.contracts.context import RequestContext
from commerce.domain.carts import Cart
from commerce.domain.orders import Order
from tests.integration.api.bench import ADDRESS, SKU, Shop, checkout_of, slug


def refusing(status: CheckoutStatus, **facts: object):  # type: ignore[no-untyped-def]
    def answer(order: Order) -> CheckoutAnswer:
        return replace(CheckoutAnswer(order.id, status), **facts)

    return answer


async def test_a_placed_order_is_answered_with_the_order(shop: Shop) -> None:
    person = shop.person("ada")
    cart = await shop.cart(person)
    answer = await shop.check_out(
        cart["id"], person, "placed", expected_total={"amount": 510, "currency": "GBP"}
    )
    body = answer.json()
    assert (answer.status_code, body["status"], body["action"]) == (201, "placed", None)
    assert answer.headers["location"] == f"/v1/orders/{body['order_id']}"
    assert body["order"]["totals"]["total"] == {"amount": 510, "currency": "GBP"}
    assert body["order"]["lines"][0]["sku"] == SKU
    shown = await shop.http.get(answer.headers["location"], headers=person)
    assert shown.json() == body["order"]
    assert shown.headers["etag"] == '"1"'


async def test_the_intent_is_one_transaction_with_its_audit_and_timeline(shop: Shop) -> None:
    person = {**shop.person("ada"), "X-Request-Id": "intent-1"}
    cart = await shop.cart(person)
    order_id = (await shop.check_out(cart["id"], person, "intent")).json()["order_id"]
    order = shop.rows(
        "SELECT customer_id, guest_key, email, status, payment_id FROM orders WHERE id = %s", order_id
    )
    assert order[0][:4] == ("ada", None, "ada@example.org", "Pending")
    audited = shop.rows("SELECT actor, request_id, action FROM audit WHERE object_id = %s", order_id)
    assert audited == [("customer:ada", "intent-1", "order.request")]
    assert shop.rows("SELECT kind FROM timeline WHERE order_id = %s", order_id) == [("requested",)]
    assert shop.rows("SELECT status, token FROM payments WHERE order_id = %s", order_id) == [
        ("requested", "pm_card_visa")
    ]
    (_, update_id, context) = shop.workflows.checkouts[0]
    assert "intent" not in update_id
    assert context == RequestContext("intent-1", "customer:ada")


async def test_a_guest_orders_by_the_carts_token_and_reads_the_order_with_it(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    answer = await shop.check_out(cart["id"], headers, "guest")
    assert answer.status_code == 201
    order_id = answer.json()["order_id"]
    assert (await shop.http.get(f"/v1/orders/{order_id}", headers=headers)).status_code == 200
    assert (await shop.http.get(f"/v1/orders/{order_id}", headers=shop.person("ada"))).status_code == 404
    stored = shop.rows("SELECT guest_key FROM orders WHERE id = %s", order_id)[0][0]
    assert headers["X-Cart-Token"] not in str(stored)
    assert len(str(stored)) == 64
    assert shop.workflows.checkouts[0][2].actor == f"guest:{cart['id']}"


async def test_a_repeat_gets_the_first_answer_and_asks_nobody(shop: Shop) -> None:
    person = shop.person("ada")
    cart = await shop.cart(person)
    first = await shop.check_out(cart["id"], person, "again")
    repeats = [await shop.check_out(cart["id"], person, key) for key in ("again", '"again"')]
    assert "idempotency-replayed" not in first.headers
    for repeat in repeats:
        assert (repeat.status_code, repeat.json()) == (201, first.json())
        assert repeat.headers["idempotency-replayed"] == "true"
    assert len(shop.workflows.checkouts) == 1
    assert shop.rows("SELECT count(*) FROM orders WHERE cart_id = %s", cart["id"]) == [(1,)]


async def test_a_repeat_of_a_closed_and_vanished_cart_is_still_answered(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    first = await shop.check_out(cart["id"], headers, "closed")
    await shop.gateway.carts.close(str(cart["id"]), first.json()["order_id"])
    repeat = await shop.check_out(cart["id"], headers, "closed")
    assert repeat.json() == first.json()
    other_key = await shop.check_out(cart["id"], headers, "closed-2")
    assert (other_key.status_code, slug(other_key)) == (409, "cart-already-ordered")
    assert other_key.json()["order_id"] == first.json()["order_id"]


async def test_the_same_key_with_another_payload_is_refused(shop: Shop) -> None:
    person = shop.person("ada")
    cart = await shop.cart(person)
    await shop.check_out(cart["id"], person, "reused")
    changed = await shop.check_out(cart["id"], person, "reused", email="other@example.org")
    assert (changed.status_code, slug(changed)) == (422, "idempotency-key-reused")
    assert len(shop.workflows.checkouts) == 1


async def test_equal_keys_of_two_people_are_two_keys(shop: Shop) -> None:
    ada, bob = shop.person("ada"), shop.person("bob")
    first = await shop.check_out((await shop.cart(ada))["id"], ada, "shared")
    second = await shop.check_out((await shop.cart(bob))["id"], bob, "shared")
    assert first.json()["order_id"] != second.json()["order_id"]
    assert len({update_id for _, update_id, _ in shop.workflows.checkouts}) == 2


async def test_the_same_key_ten_times_at_once_is_one_order_and_one_answer(shop: Shop) -> None:
    person = shop.person("ada")
    cart = await shop.cart(person)
    shop.workflows.delay = 0.1
    answers = await asyncio.gather(*(shop.check_out(cart["id"], person, "ten") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 9
    assert shop.rows("SELECT count(*) FROM orders WHERE cart_id = %s", cart["id"]) == [(1,)]
    assert len({update_id for _, update_id, _ in shop.workflows.checkouts}) == 1


async def test_two_keys_on_one_cart_at_once_make_one_order(shop: Shop) -> None:
    person = shop.person("ada")
    cart = await shop.cart(person)
    answers = await asyncio.gather(*(shop.check_out(cart["id"], person, f"two-{n}") for n in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert slug(refused) == "cart-already-ordered"
    assert shop.rows("SELECT count(*) FROM orders WHERE cart_id = %s", cart["id"]) == [(1,)]


async def test_3ds_tells_what_the_shopper_must_do(shop: Shop) -> None:
    action = PaymentAction("redirect_to_url", "https://bank.example/3ds", "pi_1_secret_2")
    shop.workflows.answer = refusing(CheckoutStatus.REQUIRES_ACTION, action=action)
    person = shop.person("ada")
    answer = await shop.check_out((await shop.cart(person))["id"], person, "3ds")
    assert (answer.status_code, answer.json()["status"]) == (201, "requires_action")
    assert answer.json()["action"] == {
        "type": "redirect_to_url",
        "url": "https://bank.example/3ds",
        "client_secret": "pi_1_secret_2",
    }


async def test_a_decline_is_stored_and_the_cart_stays_open(shop: Shop) -> None:
    shop.workflows.answer = refusing(CheckoutStatus.DECLINED, decline_code="insufficient_funds")
    person = shop.person("ada")
    cart = await shop.cart(person)
    answer = await shop.check_out(cart["id"], person, "declined")
    assert (answer.status_code, slug(answer)) == (402, "payment-declined")
    assert answer.json()["decline_code"] == "insufficient_funds"
    assert "location" not in answer.headers
    repeat = await shop.check_out(cart["id"], person, "declined")
    assert (repeat.status_code, repeat.json()) == (402, answer.json())
    assert repeat.headers["content-type"] == "application/problem+json"
    assert repeat.headers["idempotency-replayed"] == "true"
    assert (await shop.http.get(f"/v1/carts/{cart['id']}", headers=person)).json()["order_id"] is None


async def test_too_little_stock_names_the_lines(shop: Shop) -> None:
    shop.workflows.answer = refusing(CheckoutStatus.OUT_OF_STOCK, shortages=[Shortage(1, SKU, 2, 1)])
    person = shop.person("ada")
    answer = await shop.check_out((await shop.cart(person))["id"], person, "short")
    assert (answer.status_code, slug(answer)) == (409, "out-of-stock")
    assert answer.json()["errors"] == [
        {
            "detail": f"2 of {SKU} are wanted, 1 are available",
            "pointer": "/lines/0",
            "sku": SKU,
            "line_no": 1,
            "requested": 2,
            "available": 1,
        }
    ]


async def test_a_price_that_changed_while_the_order_waited_shows_the_new_totals(shop: Shop) -> None:
    shop.workflows.answer = refusing(CheckoutStatus.PRICE_CHANGED)
    person = shop.person("ada")
    answer = await shop.check_out((await shop.cart(person))["id"], person, "late-price")
    assert (answer.status_code, slug(answer)) == (409, "price-changed")
    assert answer.json()["totals"]["total"] == {"amount": 510, "currency": "GBP"}


async def test_an_order_cancelled_meanwhile(shop: Shop) -> None:
    shop.workflows.answer = refusing(CheckoutStatus.CANCELLED)
    person = shop.person("ada")
    answer = await shop.check_out((await shop.cart(person))["id"], person, "cancelled")
    assert (answer.status_code, slug(answer)) == (409, "checkout-cancelled")


async def test_a_key_belongs_to_its_caller_even_on_a_foreign_cart(shop: Shop) -> None:
    ada = shop.person("ada")
    cart = await shop.cart(ada)
    await shop.check_out(cart["id"], ada, "mine")
    stranger = await shop.check_out(cart["id"], shop.person("bob"), "mine")
    assert stranger.status_code == 404


async def test_the_answer_names_postage_by_country(shop: Shop) -> None:
    person = shop.person("ada")
    cart = await shop.cart(person)
    answer = await shop.http.post(
        "/v1/checkouts",
        json={**checkout_of(cart["id"]), "shipping_address": {**ADDRESS, "country": "FR"}},
        headers={**person, "Idempotency-Key": "postage"},
    )
    assert answer.json()["order"]["totals"]["shipping"] == {"amount": 1800, "currency": "GBP"}
    assert answer.json()["order"]["totals"]["total"] == {"amount": 2310, "currency": "GBP"}


async def test_the_carts_own_hold_goes_over_to_the_order(shop: Shop) -> None:
    person = shop.person("ada")
    cart = await shop.cart(person)
    made = await shop.http.post(
        "/v1/reservations", json={"cart_id": cart["id"], "minutes": 5}, headers=person
    )
    async with shop.gateway.database.transaction(RequestContext("test")) as tx:
        wish = await tx.stock.reservation(made.json()["id"])
        await tx.stock.hold(wish.id, wish.lines, 300, cart_id=str(cart["id"]), order_id=None)
    order_id = (await shop.check_out(cart["id"], person, "own-hold")).json()["order_id"]
    other = await shop.cart(person)
    without = (await shop.check_out(other["id"], person, "no-hold")).json()["order_id"]
    stored = "SELECT reservation_id FROM orders WHERE id = %s"
    assert shop.rows(stored, order_id) == [(made.json()["id"],)]
    assert shop.rows(stored, without) == [(None,)]


async def test_a_twin_that_closed_the_cart_first_is_no_conflict(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = shop.person("ada")
    cart_id = str((await shop.cart(person))["id"])
    carts = shop.gateway.carts
    read = carts.get
    twins: list[str] = []

    async def get_late(asked: str) -> Cart:
        if not twins:
            twins.append("on its way")
            twin = await shop.check_out(cart_id, person, "twin")
            twins.append(twin.text)
            await carts.close(cart_id, twin.json()["order_id"])
        return await read(asked)

    monkeypatch.setattr(carts, "get", get_late)
    answer = await shop.check_out(cart_id, person, "twin")
    assert (answer.status_code, answer.text) == (201, twins[1])
    assert answer.headers["idempotency-replayed"] == "true"
