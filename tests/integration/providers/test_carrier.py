"""The carrier adapter against the emulator: one label per parcel, whatever becomes of the answers."""

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from easypost.errors.api.api_error import ApiError

from commerce.contracts.ids import SHIPMENT, new_id
from commerce.contracts.statuses import ShipmentStatus
from commerce.domain.errors import ProviderError, ProviderOutcomeUnknown, ProviderRefused, ProviderUnavailable
from commerce.domain.messaging import received
from commerce.domain.orders import Address
from commerce.domain.ports import Carrier
from commerce.domain.providers import ParcelRequest, TrackingFact
from commerce.providers.carrier import EasyPostAccount, EasyPostCarrier
from commerce.providers.carrier.calls import Calls
from commerce.providers.carrier.failures import sort
from devstack.servers.emulators import Emulator

WAREHOUSE = Address("Warehouse", "1 High Street", "London", "N1 1AA", "GB")
HOME = Address("Jane Doe", "2 Mill Lane", "Bath", "BA1 1AA", "GB", line2="Flat 3", phone="01225 000000")
SECRET = "whsec_carrier"


class Desk:
    """The adapter, one parcel of ours, and the emulator's control routes."""

    def __init__(self, emulator: Emulator, **account: Any) -> None:
        self.emulator = emulator
        self.account = replace(
            EasyPostAccount(emulator.api_key, SECRET, WAREHOUSE, f"{emulator.url}/v2", timeout=2), **account
        )
        self.carrier = EasyPostCarrier(self.account)
        self.shipment_id = new_id(SHIPMENT)
        self.parcel = ParcelRequest(self.shipment_id, "ord_1", HOME, pieces=3)
        self.control = httpx.AsyncClient(base_url=f"{emulator.url}/_emulator/")
        self.api = httpx.AsyncClient(base_url=f"{emulator.url}/v2/", auth=(emulator.api_key, ""))

    async def close(self) -> None:
        await self.carrier.close()
        await self.control.aclose()
        await self.api.aclose()

    async def post(self, path: str, **body: Any) -> None:
        answer = await self.control.post(path, json=body)
        assert answer.is_success, answer.text

    async def fault(self, operation: str, mode: str, **fields: Any) -> None:
        match = {"reference": self.shipment_id}
        await self.post("faults", operation=operation, mode=mode, match=match, **fields)

    async def advance(self, *statuses: str) -> None:
        for status in statuses:
            await self.post(f"trackers/{self.shipment_id}/advance", status=status)

    async def count(self, kind: str) -> int:
        answer = await self.control.get("journal", params={"reference": self.shipment_id})
        return sum(line["kind"] == kind for line in answer.json()["data"])

    async def newest_event(self) -> dict[str, Any]:
        newest = (await self.api.get("events", params={"page_size": 1})).json()["events"][0]["id"]
        event: dict[str, Any] = (await self.api.get(f"events/{newest}")).json()
        return event


@pytest.fixture
async def desk(carrier_emulator: Emulator) -> AsyncIterator[Desk]:
    desk = Desk(carrier_emulator)
    await desk.post("speed", step_seconds=None, handover_seconds=None)
    yield desk
    await desk.post("speed", step_seconds=0.4)
    await desk.close()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"x-hmac-signature": f"hmac-sha256-hex={digest}"}


async def test_it_is_a_carrier(desk: Desk) -> None:
    carrier: Carrier = desk.carrier
    assert carrier.name == "easypost"


async def test_a_label_is_the_cheapest_service_to_the_shoppers_door(desk: Desk) -> None:
    label = await desk.carrier.buy_label(desk.parcel)

    stored = (await desk.api.get(f"shipments/{desk.shipment_id}")).json()
    assert label.carrier == "RoyalMail"
    assert stored["selected_rate"]["service"] == "RoyalMail48"
    assert (label.carrier_ref, label.tracking_code) == (stored["id"], stored["tracking_code"])
    assert (label.label_url, label.tracking_url) == (
        stored["postage_label"]["label_url"],
        stored["tracker"]["public_url"],
    )
    assert stored["parcel"]["weight"] == 12.0
    assert {k: stored["to_address"][k] for k in ("name", "street1", "street2", "city", "zip", "country")} == {
        "name": "Jane Doe",
        "street1": "2 Mill Lane",
        "street2": "Flat 3",
        "city": "Bath",
        "zip": "BA1 1AA",
        "country": "GB",
    }


async def test_buying_again_gives_the_same_label(desk: Desk) -> None:
    first = await desk.carrier.buy_label(desk.parcel)

    assert await desk.carrier.buy_label(desk.parcel) == first
    assert await desk.count("label.bought") == 1
    assert await desk.count("shipment.created") == 1


@pytest.mark.parametrize("operation", ["shipments.retrieve", "shipments.create", "shipments.buy"])
@pytest.mark.parametrize(
    "mode", ["error_before", "error_after", "timeout_before", "timeout_after", "reset", "rate_limit"]
)
async def test_whatever_becomes_of_an_answer_a_repeat_buys_one_label(
    carrier_emulator: Emulator, desk: Desk, operation: str, mode: str
) -> None:
    hasty = Desk(carrier_emulator, timeout=0.2)
    await desk.fault(operation, mode, seconds=0.5)

    with pytest.raises(ProviderError) as failed:
        await hasty.carrier.buy_label(desk.parcel)
    maybe = operation == "shipments.buy" and mode != "rate_limit"
    assert type(failed.value) is (ProviderOutcomeUnknown if maybe else ProviderUnavailable)

    label = await desk.carrier.buy_label(desk.parcel)
    assert await desk.count("label.bought") == 1
    assert (await desk.api.get(f"shipments/{label.carrier_ref}")).json()[
        "tracking_code"
    ] == label.tracking_code
    await hasty.close()


async def test_a_purchase_that_lands_after_the_time_out_is_not_made_twice(desk: Desk) -> None:
    await desk.fault("shipments.buy", "late", seconds=2.5)
    with pytest.raises(ProviderOutcomeUnknown):
        await desk.carrier.buy_label(desk.parcel)
    for _ in range(100):
        if await desk.count("label.bought"):
            break
        await asyncio.sleep(0.05)

    await desk.carrier.buy_label(desk.parcel)

    assert await desk.count("label.bought") == 1


async def test_a_bought_twin_is_found_behind_a_newer_one_without_a_label(desk: Desk) -> None:
    label = await desk.carrier.buy_label(desk.parcel)
    stored = (await desk.api.get(f"shipments/{label.carrier_ref}")).json()
    draft = {k: stored[k] for k in ("from_address", "to_address", "parcel", "reference")}
    late = (await desk.api.post("shipments", json={"shipment": draft})).json()
    assert late["id"] != label.carrier_ref

    assert await desk.carrier.buy_label(desk.parcel) == label
    assert await desk.count("label.bought") == 1
    assert await desk.carrier.void_label(desk.shipment_id) is True
    assert await desk.count("label.voided") == 1


async def test_a_refusal_names_the_field_but_not_the_address(desk: Desk) -> None:
    parcel = replace(desk.parcel, ship_to=replace(HOME, postal_code=""))

    with pytest.raises(ProviderRefused) as refused:
        await desk.carrier.buy_label(parcel)

    assert str(refused.value) == "EasyPost: SHIPMENT.INVALID_PARAMS (422): to_address.zip"
    assert await desk.count("shipment.created") == 0


async def test_a_wrong_key_is_refused_for_good(desk: Desk) -> None:
    stranger = EasyPostCarrier(replace(desk.account, api_key="wrong"))

    with pytest.raises(ProviderRefused) as refused:
        await stranger.buy_label(desk.parcel)

    assert refused.value.code == "APIKEY.INACTIVE"
    await stranger.close()


async def test_a_rate_limit_says_how_long_to_wait(desk: Desk) -> None:
    await desk.fault("shipments.create", "rate_limit", seconds=7)

    with pytest.raises(ProviderUnavailable) as limited:
        await desk.carrier.buy_label(desk.parcel)

    assert limited.value.retry_after == 7.0


async def test_a_carrier_that_is_down_is_unavailable_and_called_once(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    account = replace(desk.account, api_base=f"http://127.0.0.1:{port}/v2")
    lonely = EasyPostCarrier(account)

    for call in (lonely.buy_label(desk.parcel), lonely.void_label(desk.shipment_id)):
        with pytest.raises(ProviderUnavailable) as down:
            await call
        assert down.value.code == "not_reached"
    client: Any = account.client()
    assert client._requests_session.get_adapter(f"{account.api_base}/shipments").max_retries.total == 0
    client._requests_session.close()
    await lonely.close()


async def test_a_request_that_was_never_sent_had_no_effect(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    calls = Calls(replace(desk.account, api_base=f"http://127.0.0.1:{port}/v2"))

    with pytest.raises(ProviderUnavailable):
        await calls.run(lambda client: client.shipment.buy("shp_1", rate={"id": "rate_1"}), effect=True)
    await calls.close()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (422, "SHIPMENT.POSTAGE.TIMED_OUT", ProviderOutcomeUnknown),
        (422, "SHIPMENT.POSTAGE.NO_RESPONSE", ProviderOutcomeUnknown),
        (422, "SHIPMENT.PURCHASE.IN_PROGRESS", ProviderOutcomeUnknown),
        (422, "SHIPMENT.POSTAGE.FAILURE", ProviderRefused),
        (402, "PAYMENT_REQUIRED", ProviderUnavailable),
        (403, "FORBIDDEN", ProviderRefused),
        (408, "TIMEOUT", ProviderOutcomeUnknown),
        (502, "BAD_GATEWAY", ProviderOutcomeUnknown),
    ],
)
def test_answers_are_sorted_by_what_may_have_happened(
    status: int, code: str, kind: type[ProviderError]
) -> None:
    body = json.dumps({"error": {"code": code, "message": "2 Mill Lane is unknown", "errors": []}})

    error = sort(
        ApiError("2 Mill Lane is unknown", http_status=status, http_body=body), effect=True, retry_after=None
    )

    assert type(error) is kind
    assert str(error) == f"EasyPost: {code} ({status})"


async def test_two_purchases_at_once_get_the_same_label(desk: Desk) -> None:
    """Both find the shipment that an earlier attempt made; the first purchase is held on the way."""
    await desk.fault("shipments.buy", "error_before")
    with pytest.raises(ProviderOutcomeUnknown):
        await desk.carrier.buy_label(desk.parcel)
    await desk.fault("shipments.buy", "late", seconds=0.3)

    first, second = await asyncio.gather(*(desk.carrier.buy_label(desk.parcel) for _ in range(2)))

    assert first == second
    assert await desk.count("label.bought") == 1
    assert await desk.count("shipment.created") == 1


async def test_voiding_is_repeatable_and_the_label_is_not_bought_again(desk: Desk) -> None:
    await desk.carrier.buy_label(desk.parcel)

    assert await desk.carrier.void_label(desk.shipment_id) is True
    assert await desk.carrier.void_label(desk.shipment_id) is True
    assert await desk.count("label.voided") == 1
    with pytest.raises(ProviderRefused) as refused:
        await desk.carrier.buy_label(desk.parcel)
    assert refused.value.code == "label_voided"
    assert await desk.count("label.bought") == 1


async def test_there_is_nothing_to_void_without_a_label(desk: Desk) -> None:
    assert await desk.carrier.void_label(desk.shipment_id) is False
    await desk.fault("shipments.buy", "error_before")
    with pytest.raises(ProviderOutcomeUnknown):
        await desk.carrier.buy_label(desk.parcel)

    assert await desk.carrier.void_label(desk.shipment_id) is False
    assert await desk.count("label.voided") == 0


@pytest.mark.parametrize("mode", ["error_before", "error_after", "reset"])
async def test_a_void_of_unknown_outcome_is_finished_by_a_repeat(desk: Desk, mode: str) -> None:
    await desk.carrier.buy_label(desk.parcel)
    await desk.fault("shipments.refund", mode)
    with pytest.raises(ProviderOutcomeUnknown):
        await desk.carrier.void_label(desk.shipment_id)

    assert await desk.carrier.void_label(desk.shipment_id) is True
    assert await desk.count("label.voided") == 1


async def test_a_parcel_on_its_way_cannot_be_voided(desk: Desk) -> None:
    await desk.carrier.buy_label(desk.parcel)
    await desk.advance("in_transit")

    with pytest.raises(ProviderRefused) as refused:
        await desk.carrier.void_label(desk.shipment_id)

    assert refused.value.code == "handed_over"
    assert await desk.count("label.voided") == 0


async def test_a_webhook_is_verified_and_names_its_parcel_by_tracking_code(desk: Desk) -> None:
    label = await desk.carrier.buy_label(desk.parcel)
    await desk.advance("in_transit", "delivered")
    body = json.dumps(await desk.newest_event(), indent=1).encode()

    event = desk.carrier.parse_webhook(body, signed(body))

    theirs = json.loads(body)
    assert (event.provider, event.event_id, event.kind) == ("easypost", theirs["id"], "tracker.updated")
    assert event.provider_ref == label.tracking_code
    assert event.occurred_at == datetime.fromisoformat(theirs["created_at"])
    assert "signed_by" not in event.data["result"]  # type: ignore[operator]
    assert theirs["result"]["signed_by"] == "Recipient"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hmac-Signature": ""},
        {"X-Hmac-Signature": "hmac-sha256-hex=00"},
        {"X-Hmac-Signature": "hmac-sha256-hex=é"},
        signed(b'{"id": "evt_1"} '),
        signed(b'{"id": "evt_1"}', secret="another"),
    ],
)
async def test_a_forged_webhook_is_refused(desk: Desk, headers: Mapping[str, str]) -> None:
    with pytest.raises(ProviderRefused) as refused:
        desk.carrier.parse_webhook(b'{"id": "evt_1"}', headers)

    assert refused.value.code == "invalid_signature"


async def test_without_a_secret_no_webhook_is_believed(desk: Desk) -> None:
    careless = EasyPostCarrier(replace(desk.account, webhook_secret=""))

    with pytest.raises(ProviderRefused) as refused:
        careless.parse_webhook(b"{}", signed(b"{}", secret=""))

    assert refused.value.code == "invalid_signature"


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"id": "evt_1", "description": "x", "result": 1}'])
async def test_a_signed_body_that_is_no_event_is_refused(desk: Desk, body: bytes) -> None:
    with pytest.raises(ProviderRefused) as refused:
        desk.carrier.parse_webhook(body, signed(body))

    assert refused.value.code == "malformed_event"


async def facts_of_newest(desk: Desk) -> list[TrackingFact]:
    body = json.dumps(await desk.newest_event()).encode()
    return list(desk.carrier.facts(received(desk.carrier.parse_webhook(body, signed(body)))))


async def test_every_scan_is_one_fact_in_our_words_oldest_first(desk: Desk) -> None:
    label = await desk.carrier.buy_label(desk.parcel)
    await desk.advance("pre_transit", "in_transit", "out_for_delivery", "failure", "delivered")

    facts = await facts_of_newest(desk)

    assert [(fact.status, fact.text) for fact in facts] == [
        (ShipmentStatus.LABELLED, "Shipping label created (London)"),
        (ShipmentStatus.HANDED_OVER, "Received at the origin depot (London)"),
        (ShipmentStatus.OUT_FOR_DELIVERY, "Out for delivery (Bath)"),
        (None, "Could not be delivered (Bath)"),
        (ShipmentStatus.DELIVERED, "Delivered (Bath)"),
    ]
    assert {fact.tracking_code for fact in facts} == {label.tracking_code}
    assert len({fact.event_id for fact in facts}) == 5
    assert all(fact.occurred_at.tzinfo == UTC for fact in facts)


async def test_a_return_is_a_fact_and_a_parcel_to_be_collected_is_out_for_delivery(desk: Desk) -> None:
    await desk.carrier.buy_label(desk.parcel)
    await desk.advance("available_for_pickup", "return_to_sender")

    statuses = [fact.status for fact in await facts_of_newest(desk)]

    assert statuses == [ShipmentStatus.OUT_FOR_DELIVERY, ShipmentStatus.RETURNING]


async def test_news_without_a_scan_moves_nothing(desk: Desk) -> None:
    label = await desk.carrier.buy_label(desk.parcel)

    fresh = await facts_of_newest(desk)
    assert [(fact.status, fact.tracking_code) for fact in fresh] == [(None, label.tracking_code)]
    await desk.carrier.void_label(desk.shipment_id)
    await desk.post(f"trackers/{desk.shipment_id}/advance")
    refunded = await facts_of_newest(desk)
    assert [(fact.status, fact.text) for fact in refunded] == [(None, "Refund: refunded")]


async def test_an_event_about_no_parcel_has_no_facts(desk: Desk) -> None:
    body = json.dumps(
        {"id": "evt_1", "description": "batch.updated", "created_at": "2026-01-02T03:04:05Z", "result": {}}
    ).encode()

    event = desk.carrier.parse_webhook(body, signed(body))

    assert event.provider_ref is None
    assert desk.carrier.facts(received(event)) == []


async def test_asking_gives_the_same_facts_as_the_webhooks_and_twice_the_same_event(desk: Desk) -> None:
    assert await desk.carrier.track(desk.shipment_id) is None
    await desk.carrier.buy_label(desk.parcel)
    assert await desk.carrier.track(desk.shipment_id) is None
    await desk.advance("in_transit", "out_for_delivery")

    asked, again = [await desk.carrier.track(desk.shipment_id) for _ in range(2)]

    assert asked is not None
    assert again is not None
    told = await facts_of_newest(desk)
    assert asked == again
    assert asked.shipment_id == desk.shipment_id
    assert asked.event_id == f"asked:{told[-1].event_id}"
    assert list(desk.carrier.facts(received(asked))) == [
        replace(fact, shipment_id=desk.shipment_id) for fact in told
    ]
    await desk.advance("delivered")
    later = await desk.carrier.track(desk.shipment_id)
    assert later is not None
    assert later.event_id != asked.event_id


async def test_more_calls_than_threads_all_come_through(carrier_emulator: Emulator, desk: Desk) -> None:
    narrow = Desk(carrier_emulator, connections=2)
    parcels = [replace(desk.parcel, shipment_id=new_id(SHIPMENT)) for _ in range(8)]

    labels = await asyncio.gather(*(narrow.carrier.buy_label(parcel) for parcel in parcels))

    assert len({label.tracking_code for label in labels}) == 8
    assert len(narrow.carrier._calls._clients) <= 2
    await narrow.close()
