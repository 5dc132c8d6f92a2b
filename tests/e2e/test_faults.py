"""Every step of the saga fails once before and once after its effect: the order is delivered all the same."""

import pytest
from support.faults import AFTER, BEFORE, PlannedFaults
from support.shop import Shop

STEPS = [
    "verify_promise",
    "reserve_stock",
    "authorise_payment",
    "place_order",
    "capture_payment",
    "buy_label",
    "record_tracking",
    "send_message",
]


@pytest.mark.parametrize("when", [BEFORE, AFTER])
@pytest.mark.parametrize("step", STEPS)
async def test_a_step_that_fails_once_is_done_once(
    shop: Shop, planned: PlannedFaults, step: str, when: str
) -> None:
    before = await shop.available("84879")
    planned.fail(step, when)
    answer = await shop.buy({"84879": 2}, f"fault-{step}-{when}")
    assert answer.status_code == 201, answer.text
    order_id = answer.json()["order_id"]
    order = await shop.wait(order_id, "Delivered")
    assert planned.struck[step, when] == 1
    moves = [(entry["kind"], entry["amount"]) for entry in await shop.journal(order_id)]
    total = order["totals"]["total"]["amount"]
    assert moves.count(("payment_intent.authorised", total)) == 1
    assert moves.count(("payment_intent.captured", total)) == 1
    assert await shop.available("84879") == before - 2
    assert await shop.broken_invariants() == []


async def test_a_compensation_that_fails_is_parked_seen_and_resolved(
    shop: Shop, planned: PlannedFaults
) -> None:
    planned.fail("void_payment", BEFORE, times=1, non_retryable=True)
    answer = await shop.buy({"84879": 1}, "park-1", token="pm_card_authenticationRequired")
    order_id = answer.json()["order_id"]
    await shop.authenticate(order_id, "fail")
    await shop.wait(order_id, "Cancelled")
    listed = await _until_attention(shop, order_id)
    assert "void the payment" in str(listed)
    for role, told in (("support", True), ("customer", False)):
        timeline = await shop.http.get(f"/v1/orders/{order_id}/timeline", headers=shop.as_(role))
        assert any(entry["kind"] == "attention" for entry in timeline.json()["items"]) is told
    resolved = await shop.http.post(
        f"/v1/admin/orders/{order_id}/compensations/void the payment",
        json={"resolution": "retry"},
        headers={**shop.as_("support"), "Idempotency-Key": "park-1r"},
    )
    assert resolved.status_code < 300, resolved.text
    await shop.wait_for(order_id, lambda o: not o.get("needs_attention"))


async def _until_attention(shop: Shop, order_id: str) -> dict[str, object]:
    import asyncio

    async with asyncio.timeout(15):
        while True:
            answer = await shop.http.get("/v1/admin/attention", headers=shop.as_("support"))
            assert answer.status_code == 200, answer.text
            for item in answer.json()["items"]:
                if order_id in str(item):
                    found: dict[str, object] = item
                    return found
            await asyncio.sleep(0.2)
