"""Cancelling and refunding: the table, the workflow and the provider agree."""

import asyncio
from typing import Any

import httpx
from support.shop import Shop


async def cancel(shop: Shop, order_id: str, key: str, role: str = "customer") -> httpx.Response:
    return await shop.http.post(
        f"/v1/orders/{order_id}/cancel",
        json={"reason": "changed my mind"},
        headers={**shop.as_(role), "Idempotency-Key": key},
    )


async def refund(shop: Shop, order_id: str, key: str, **fields: Any) -> httpx.Response:
    return await shop.http.post(
        f"/v1/orders/{order_id}/refunds",
        json={"reason": "damaged", **fields},
        headers={**shop.as_("support"), "Idempotency-Key": key},
    )


async def test_cancelling_before_shipment_gives_goods_and_money_back(shop: Shop) -> None:
    await shop.carrier_speed(None)
    before = await shop.available("22622")
    answer = await shop.buy({"22622": 2}, "can-1")
    order_id = answer.json()["order_id"]
    await shop.wait_for(order_id, lambda order: order["payment_status"] == "captured")
    assert await shop.available("22622") == before - 2
    cancelled = await cancel(shop, order_id, "can-1c")
    assert cancelled.status_code in {200, 202}, cancelled.text
    order = await shop.wait_for(order_id, lambda order: order["payment_status"] == "refunded")
    assert order["status"] == "Cancelled"
    assert await shop.available("22622") == before
    total = order["totals"]["total"]["amount"]
    entries = await shop.journal(order_id)
    given = sum(e["amount"] for e in entries if e["kind"] == "refund.succeeded")
    assert given == total
    again = await cancel(shop, order_id, "can-1c")
    assert again.status_code == cancelled.status_code
    assert await shop.broken_invariants() == []


async def test_cancelling_during_three_d_secure_voids_and_frees(shop: Shop) -> None:
    before = await shop.available("22622")
    answer = await shop.buy({"22622": 1}, "can-2", token="pm_card_authenticationRequired")
    order_id = answer.json()["order_id"]
    cancelled = await cancel(shop, order_id, "can-2c")
    assert cancelled.status_code == 200, cancelled.text
    assert (await shop.order(order_id))["status"] == "Cancelled"
    assert await shop.available("22622") == before
    ref = await shop.provider_ref(order_id)
    async with httpx.AsyncClient() as client:
        intent = await client.get(
            f"{shop.stripe.url}/v1/payment_intents/{ref}",
            headers={"Authorization": f"Bearer {shop.stripe.api_key}"},
        )
    assert intent.json()["status"] == "canceled"


async def test_cancelling_after_hand_over_is_409_and_changes_nothing(shop: Shop) -> None:
    order_id = (await shop.buy({"71053": 1}, "can-3")).json()["order_id"]
    await shop.wait(order_id, "Delivered")
    answer = await cancel(shop, order_id, "can-3c")
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("/order-not-cancellable")
    assert (await shop.order(order_id))["payment_status"] == "captured"


async def test_a_partial_refund_gives_those_pieces_back_once(shop: Shop) -> None:
    answer = await shop.buy({"22960": 8}, "ref-1")
    order_id = answer.json()["order_id"]
    order = await shop.wait(order_id, "Delivered")
    given = await refund(shop, order_id, "ref-1r", lines=[{"line_no": 1, "quantity": 6}])
    assert given.status_code == 201, given.text
    share = order["lines"][0]["total"]["amount"] * 6 // 8
    refunded = await shop.wait_for(order_id, lambda o: o["payment_status"] == "partially_refunded")
    assert refunded["refunds"][0]["amount"]["amount"] == share
    again = await refund(shop, order_id, "ref-1r", lines=[{"line_no": 1, "quantity": 6}])
    assert again.text == given.text
    entries = await shop.journal(order_id)
    assert [e["amount"] for e in entries if e["kind"] == "refund.succeeded"] == [share]
    too_much = await refund(shop, order_id, "ref-2r", amount={"amount": 10_000_000, "currency": "GBP"})
    assert too_much.status_code == 409
    assert too_much.json()["type"].endswith("/refund-exceeds-captured")
    assert await shop.broken_invariants() == []


async def test_refunds_at_once_never_exceed_what_was_captured(shop: Shop) -> None:
    answer = await shop.buy({"71053": 4}, "ref-3")
    order_id = answer.json()["order_id"]
    order = await shop.wait(order_id, "Delivered")
    total = order["totals"]["total"]["amount"]
    amount = {"amount": total // 2 + 1, "currency": "GBP"}
    answers = await asyncio.gather(*(refund(shop, order_id, f"ref-3-{i}", amount=amount) for i in range(4)))
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409]
