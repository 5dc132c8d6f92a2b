"""Nothing about a person is legible outside PostgreSQL, except to those who may read it."""

import base64
from pathlib import Path

from support.shop import ADDRESS, Shop

from commerce.contracts import ids

CANARY = {
    "email": "canary.zq81@example.com",
    "name": "Canaria Zq81",
    "line1": "81 Zqcanary Lane",
    "phone": "+447700900081",
}
NEEDLES = ["zq81", "Zqcanary", "447700900081"]


async def buy_as_canary(shop: Shop, key: str) -> str:
    address = {**ADDRESS, "name": CANARY["name"], "line1": CANARY["line1"], "phone": CANARY["phone"]}
    answer = await shop.buy({"71053": 1}, key, email=CANARY["email"], shipping_address=address)
    assert answer.status_code == 201, answer.text
    order_id: str = answer.json()["order_id"]
    await shop.wait(order_id, "Delivered")
    return order_id


async def test_no_file_of_the_temporal_server_holds_a_shoppers_name_mail_or_address(
    shop: Shop,
) -> None:
    order_id = await buy_as_canary(shop, "canary-1")
    stored = b"".join(path.read_bytes() for path in _files_of(shop.parts.temporal.db_file))
    assert order_id.encode() in stored
    for needle in NEEDLES:
        assert needle.encode() not in stored, needle
        assert base64.b64encode(needle.encode())[:-3] not in stored, needle


async def test_ids_and_search_attributes_name_nobody(shop: Shop) -> None:
    order_id = await buy_as_canary(shop, "canary-2")
    described = await shop.temporal.get_workflow_handle(ids.order_workflow_id(order_id)).describe()
    visible = f"{described.id} {described.search_attributes} {described.task_queue}"
    assert not [needle for needle in NEEDLES if needle in visible]


async def test_the_events_that_leave_the_shop_name_nobody(shop: Shop) -> None:
    order_id = await buy_as_canary(shop, "canary-3")
    timeline = await shop.http.get(f"/v1/orders/{order_id}/timeline", headers=shop.as_("support"))
    audit = await shop.http.get("/v1/admin/audit", params={"limit": 100}, headers=shop.as_("admin"))
    assert timeline.status_code == audit.status_code == 200
    assert order_id in audit.text
    assert not [needle for needle in NEEDLES if needle in timeline.text + audit.text]


async def test_support_reads_a_history_through_the_codec_and_a_customer_does_not(shop: Shop) -> None:
    order_id = await buy_as_canary(shop, "canary-4")
    history = await shop.temporal.get_workflow_handle(ids.order_workflow_id(order_id)).fetch_history()
    payload = history.events[0].workflow_execution_started_event_attributes.input.payloads[0]
    sealed = {
        "metadata": {key: base64.b64encode(value).decode() for key, value in payload.metadata.items()},
        "data": base64.b64encode(payload.data).decode(),
    }
    assert order_id.encode() not in payload.data
    for role, status in (("support", 200), ("admin", 200), ("customer", 403), ("warehouse", 403)):
        answer = await shop.http.post("/codec/decode", json={"payloads": [sealed]}, headers=shop.as_(role))
        assert answer.status_code == status, (role, answer.text)
        if status == 200:
            assert order_id.encode() in base64.b64decode(answer.json()["payloads"][0]["data"])


def _files_of(db_file: Path) -> list[Path]:
    return [path for path in db_file.parent.glob(f"{db_file.name}*") if path.is_file()]
