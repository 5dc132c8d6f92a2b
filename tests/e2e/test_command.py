"""The `commerce` command against the running shop."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.shop import Shop

from commerce.cli.histories import read
from commerce.contracts import ids


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def commerce(shop: Shop, tmp_path: Path) -> Any:
    """Runs the command as a process of its own, with the shop's settings and no local stack's."""
    settings = {**shop.environment, "COMMERCE_DATABASE_READONLY_URL": shop.database.readonly_url}

    async def run(*arguments: str, **changed: str) -> Said:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "commerce.cli.main", *arguments),
            env={**os.environ, **settings, "DEVSTACK_DIR": str(tmp_path / "none"), **changed},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Said(process.returncode or 0, out.decode(), err.decode())

    return run


async def delivered_order(shop: Shop, key: str) -> dict[str, Any]:
    order_id = (await shop.buy({"71053": 2}, key)).json()["order_id"]
    return await shop.wait(order_id, "Delivered")


async def test_an_order_is_listed_shown_and_explained(shop: Shop, commerce: Any) -> None:
    order = await delivered_order(shop, "command-1")
    listed = await commerce("orders", "list", "--status", "Delivered", "--limit", "1", "--json")
    assert [item["id"] for item in listed.json] == [order["id"]]
    shown = (await commerce("orders", "show", order["id"], "--json")).json
    assert shown["order"]["number"] == order["number"]
    assert [entry["kind"] for entry in shown["timeline"]][-1] == "shipment_delivered"
    assert shown["workflow"]["state"] == "RUNNING"
    assert shown["workflow"]["situation"]["doing"] == "Delivered"
    assert shown["workflow"]["url"].endswith(
        f"/namespaces/default/workflows/order%2F{order['id']}/"
        + (await shop.temporal.get_workflow_handle(ids.order_workflow_id(order["id"])).describe()).run_id
    )
    story = await commerce("orders", "explain", order["id"])
    assert story.code == 0
    assert f"Order {order['number']}" in story.out
    assert "6.78 GBP taken, nothing given back." in story.out
    assert "ada@example.com" not in story.out


async def test_an_order_can_be_looked_at_while_temporal_is_down(shop: Shop, commerce: Any) -> None:
    order = await delivered_order(shop, "command-2")
    shown = await commerce("orders", "show", order["id"], "--json", COMMERCE_TEMPORAL_ADDRESS="127.0.0.1:1")
    assert shown.code == 0
    assert shown.json["order"]["status"] == "Delivered"
    assert shown.json["workflow"]["note"].startswith("Temporal at 127.0.0.1:1")


async def test_an_order_that_is_not_there_is_one_line(commerce: Any) -> None:
    said = await commerce("orders", "show", "ord_nothing")
    assert (said.code, said.out, said.err) == (1, "", "commerce: no order ord_nothing\n")


async def test_a_database_that_is_down_is_one_line(shop: Shop, commerce: Any) -> None:
    down = shop.database.app_url.replace("@127.0.0.1:", "@127.0.0.1:1")
    said = await commerce("orders", "list", COMMERCE_DATABASE_READONLY_URL=down)
    assert said.code == 3
    assert said.out == ""
    assert said.err.startswith("commerce: ")
    assert said.err.count("\n") == 1


async def test_cancelling_goes_through_the_gateway_and_is_audited(shop: Shop, commerce: Any) -> None:
    await shop.carrier_speed(None)
    order_id = (await shop.buy({"71053": 1}, "command-3")).json()["order_id"]
    arguments = ("orders", "cancel", order_id, "--reason", "Ordered twice")
    said = await commerce(*arguments, COMMERCE_TOKEN=shop.tokens["support"])
    assert said.code == 0, said.err
    assert "is Cancelled" in said.out
    assert (await shop.wait(order_id, "Cancelled"))["order_status"] == "cancelled"
    audit = await shop.http.get(f"/v1/admin/audit?object_id={order_id}", headers=shop.as_("support"))
    actors = [row["actor"] for row in audit.json()["items"] if row["action"] == "order.cancel"]
    assert [actor.partition(":")[0] for actor in actors] == ["support"]


async def test_a_refused_cancellation_says_why_and_changes_nothing(shop: Shop, commerce: Any) -> None:
    order = await delivered_order(shop, "command-4")
    said = await commerce(
        *("orders", "cancel", order["id"], "--reason", "Too late"), COMMERCE_TOKEN=shop.tokens["support"]
    )
    assert said.code == 1
    assert "(409 order-not-cancellable)" in said.err
    assert (await shop.order(order["id"]))["version"] == order["version"]


async def test_a_stranger_cannot_cancel_with_the_command(shop: Shop, commerce: Any) -> None:
    order = await delivered_order(shop, "command-5")
    said = await commerce(
        *("orders", "cancel", order["id"], "--reason", "Mine"), COMMERCE_TOKEN=shop.tokens["other_customer"]
    )
    assert said.code == 1
    assert "(404 not-found)" in said.err


async def test_a_recorded_order_replays_without_its_key_and_without_a_server(
    shop: Shop, commerce: Any, tmp_path: Path
) -> None:
    order = await delivered_order(shop, "command-6")
    folder = tmp_path / "histories"
    said = await commerce(
        *("record", "--order", order["id"], "--name", "happy", "--release", "0.9", "--dir", str(folder))
    )
    assert said.out == f"{folder / '0.9' / 'happy.json'}: {said.out.split()[1]} histories\n", said.err
    recorded = read(folder / "0.9" / "happy.json")
    kinds = [item.history.events[0].workflow_execution_started_event_attributes for item in recorded]
    assert kinds[0].workflow_type.name == "CheckoutWorkflow"
    names = {kind.workflow_type.name for kind in kinds}
    assert {"PaymentWorkflow", "ShipmentWorkflow", "NotificationWorkflow"} <= names
    elsewhere = {
        "COMMERCE_CODEC_KEYS": "other:" + "b" * 43 + "=",
        "COMMERCE_TEMPORAL_ADDRESS": "127.0.0.1:1",
    }
    replayed = await commerce("replay", "--dir", str(folder), "--json", **elsewhere)
    assert replayed.code == 0, replayed.out
    assert replayed.json == {"recorded": {"replayed": len(recorded), "failures": []}}
    assert replayed.err.startswith("live: not replayed, no server is running")


async def test_live_histories_are_replayed_by_query(shop: Shop, commerce: Any, tmp_path: Path) -> None:
    order = await delivered_order(shop, "command-7")
    workflow_id = ids.order_workflow_id(order["id"])
    await commerce("record", "--workflow-id", workflow_id, "--name", "one", "--dir", str(tmp_path))
    arguments = ("replay", "--dir", str(tmp_path), "--json", "--live")
    said = await commerce(*arguments, "--query", f"WorkflowId = '{workflow_id}'", "--since", "1h")
    assert said.code == 0, said.out
    assert said.json["live"] == {"replayed": 1, "failures": []}
    nowhere = await commerce(*arguments, COMMERCE_TEMPORAL_ADDRESS="127.0.0.1:1")
    assert (nowhere.code, nowhere.err) == (3, "commerce: Temporal at 127.0.0.1:1 does not answer\n")


async def test_doctor_agrees_with_the_gateway_and_with_the_provider(shop: Shop, commerce: Any) -> None:
    await delivered_order(shop, "command-8")
    said = await commerce("doctor", "--json")
    names = [item["name"] for item in said.json["items"]]
    answer = await shop.http.get("/v1/admin/invariants", headers=shop.as_("admin"))
    ours = [item["name"] for item in answer.json()["items"]]
    assert names[: len(ours)] == ours
    assert names[len(ours) :] == [
        "open_order_has_workflow",
        "captured_equals_provider",
        "refunded_equals_provider",
        "provider_payment_has_order",
    ]


async def test_doctor_finds_money_that_no_order_of_ours_knows(shop: Shop, commerce: Any) -> None:
    async with httpx.AsyncClient(base_url=shop.stripe.url, auth=(shop.stripe.api_key, "")) as stripe:
        made = await stripe.post(
            "/v1/payment_intents",
            data={
                "amount": "1234",
                "currency": "gbp",
                "confirm": "true",
                "payment_method": "pm_card_visa",
                "return_url": "https://shop.example/",
                "metadata[order_id]": "ord_stranger",
            },
        )
    assert made.json()["status"] == "succeeded", made.text
    said = await commerce("doctor", "--json")
    assert said.code == 1
    found = {item["name"]: item for item in said.json["items"]}
    stranger = {"order_id": "ord_stranger", "currency": "GBP", "ours": 0, "provider": 1234}
    assert stranger in found["captured_equals_provider"]["rows"]
    row = {"payment_intent": made.json()["id"], "order_id": "ord_stranger"}
    assert row in found["provider_payment_has_order"]["rows"]
