"""What is refused leaves no money, no stock and no open end behind."""

import asyncio

import pytest
from support.shop import Shop


async def test_a_decline_answers_402_frees_the_stock_and_leaves_the_cart_for_another_try(shop: Shop) -> None:
    before = await shop.available("22752")
    cart_id = await shop.cart({"22752": 2})
    declined = await shop.checkout(cart_id, "dec-1", token="pm_card_chargeDeclinedInsufficientFunds")
    assert declined.status_code == 402
    assert declined.json()["type"].endswith("/payment-declined")
    assert declined.json()["decline_code"] == "insufficient_funds"
    assert await shop.available("22752") == before
    second = await shop.checkout(cart_id, "dec-2")
    assert second.status_code == 201, second.text
    await shop.wait(second.json()["order_id"], "Delivered")
    assert await shop.available("22752") == before - 2


async def test_too_little_stock_answers_409_naming_the_line_and_charges_nothing(shop: Shop) -> None:
    left = await shop.available("21730")
    answer = await shop.buy({"71053": 1, "21730": left + 1}, "oos-1")
    assert answer.status_code == 409, answer.text
    problem = answer.json()
    assert problem["type"].endswith("/out-of-stock")
    assert len(problem["errors"]) == 1
    assert "21730" in problem["errors"][0]["detail"]
    assert await shop.available("21730") == left


async def test_three_d_secure_waits_for_the_bank_and_then_places(shop: Shop) -> None:
    answer = await shop.buy({"71053": 1}, "3ds-1", token="pm_card_authenticationRequired")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["status"] == "requires_action"
    assert body["action"]["url"] or body["action"]["client_secret"]
    order = await shop.order(body["order_id"])
    assert order["status"] == "Pending"
    await shop.authenticate(body["order_id"], "succeed")
    await shop.wait(body["order_id"], "Delivered")


async def test_three_d_secure_that_fails_gives_the_stock_back(shop: Shop) -> None:
    before = await shop.available("21756")
    answer = await shop.buy({"21756": 1}, "3ds-2", token="pm_card_authenticationRequired")
    body = answer.json()
    assert await shop.available("21756") == before - 1
    await shop.authenticate(body["order_id"], "fail")
    cancelled = await shop.wait(body["order_id"], "Cancelled")
    assert cancelled["payment_status"] == "failed"
    assert await shop.available("21756") == before


async def test_the_same_key_ten_times_at_once_is_one_order_and_one_answer(shop: Shop) -> None:
    cart_id = await shop.cart({"71053": 1})
    answers = await asyncio.gather(*(shop.checkout(cart_id, "ten-1") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum(answer.headers.get("Idempotency-Replayed") != "true" for answer in answers) == 1
    order_id = answers[0].json()["order_id"]
    moves = [entry["kind"] for entry in await shop.journal(order_id)]
    assert moves.count("payment_intent.authorised") == 1
    await shop.wait(order_id, "Delivered")
    again = await shop.checkout(cart_id, "ten-1")
    assert again.status_code == 201
    assert again.text == answers[0].text
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_the_same_key_with_another_payload_is_422(shop: Shop) -> None:
    cart_id = await shop.cart({"71053": 1})
    first = await shop.checkout(cart_id, "other-1")
    assert first.status_code == 201
    second = await shop.checkout(cart_id, "other-1", email="someone.else@example.com")
    assert second.status_code == 422


@pytest.mark.parametrize("repeat", [False, True])
async def test_a_cart_becomes_one_order_only(shop: Shop, repeat: bool) -> None:
    cart_id = await shop.cart({"71053": 1})
    first = await shop.checkout(cart_id, f"once-{repeat}-1")
    assert first.status_code == 201
    if repeat:
        await shop.wait(first.json()["order_id"], "Delivered")
    second = await shop.checkout(cart_id, f"once-{repeat}-2")
    assert second.status_code == 409
