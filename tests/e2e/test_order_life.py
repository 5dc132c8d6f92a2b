"""An order as its shopper sees it, over HTTP, from the checkout to the door."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import boto3
from support.shop import Shop

from api.schemas.orders import OrderView
from commerce.contracts import ids
from devstack.demo.cost import costs_of


async def test_a_paid_order_is_placed_captured_shipped_and_delivered(shop: Shop) -> None:
    before = await shop.available("85123A")
    answer = await shop.buy({"85123A": 6, "71053": 2}, "life-1")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["status"] == "placed"
    delivered = await shop.wait(body["order_id"], "Delivered")
    assert delivered["order_status"] == "confirmed"
    assert delivered["payment_status"] == "captured"
    assert delivered["fulfilment_status"] == "delivered"
    assert delivered["livemode"] is False
    assert await shop.available("85123A") == before - 6
    moves = [entry["kind"] for entry in await shop.journal(body["order_id"])]
    assert moves.count("payment_intent.authorised") == 1
    assert moves.count("payment_intent.captured") == 1


async def test_the_timeline_tells_the_whole_story_in_order(shop: Shop) -> None:
    order_id = (await shop.buy({"71053": 1}, "life-2")).json()["order_id"]
    await shop.wait(order_id, "Delivered")
    answer = await shop.http.get(f"/v1/orders/{order_id}/timeline", headers=shop.as_("customer"))
    kinds = [entry["kind"] for entry in answer.json()["items"]]
    story = ["authorised", "placed", "captured", "labelled", "shipment_handed_over", "shipment_delivered"]
    assert [kind for kind in kinds if kind in story] == story


async def test_search_attributes_carry_the_shoppers_words(shop: Shop) -> None:
    order_id = (await shop.buy({"71053": 1}, "life-3")).json()["order_id"]
    await shop.wait(order_id, "Delivered")
    handle = shop.temporal.get_workflow_handle(ids.order_workflow_id(order_id))
    async with asyncio.timeout(10):
        while True:
            attributes = (await handle.describe()).search_attributes
            if attributes["OrderStatus"] == ["Delivered"]:
                break
            await asyncio.sleep(0.1)
    assert attributes["PaymentStatus"] == ["captured"]
    assert attributes["NeedsAttention"] == [False]
    assert attributes["Currency"] == ["GBP"]
    assert attributes["Provider"] == ["stripe"]


async def test_placed_and_delivered_reach_their_queues_once(shop: Shop) -> None:
    order_id = (await shop.buy({"71053": 1}, "life-4")).json()["order_id"]
    await shop.wait(order_id, "Delivered")
    sqs = boto3.client("sqs", endpoint_url=shop.aws_endpoint)
    heard: Counter[str] = Counter()
    async with asyncio.timeout(15):
        while sum(heard.values()) < 2:
            for topic, url in shop.resources.queues.items():
                got = await asyncio.to_thread(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=10)
                for message in got.get("Messages", []):
                    if order_id in message["Body"]:
                        heard[topic] += 1
                    await asyncio.to_thread(
                        sqs.delete_message, QueueUrl=url, ReceiptHandle=message["ReceiptHandle"]
                    )
    sqs.close()
    assert heard == {"order-placed": 1, "order-delivered": 1}


async def test_a_delivered_order_stays_within_its_budget(shop: Shop) -> None:
    await shop.carrier_speed(0.5, 0.5)
    since = datetime.now(UTC) - timedelta(seconds=1)
    order_id = (await shop.buy({"71053": 1}, "life-5")).json()["order_id"]
    order = OrderView.model_validate(await shop.wait(order_id, "Delivered"))
    [cost] = await costs_of(shop.temporal, [order], since, lambda: None)
    assert 40 < cost.until_delivered.events <= 90
    assert 12 < cost.until_delivered.actions <= 25
    assert cost.in_all.events >= cost.until_delivered.events


async def test_the_books_hold_after_all_of_it(shop: Shop) -> None:
    order_id = (await shop.buy({"71053": 3}, "life-6")).json()["order_id"]
    await shop.wait(order_id, "Delivered")
    assert await shop.broken_invariants() == []
