"""The carrier emulator as a process, driven by the real EasyPost client."""

import struct
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from easypost.easypost_client import EasyPostClient
from easypost.errors import ApiError, InvalidRequestError, NotFoundError, UnauthorizedError

from devstack.servers.emulators import Emulator

LONDON = {"name": "Warehouse", "street1": "1 High Street", "city": "London", "zip": "N1 1AA", "country": "GB"}
BATH = {"name": "Jane Doe", "street1": "2 Mill Lane", "city": "Bath", "zip": "BA1 1AA", "country": "GB"}


class Desk:
    """A client of the carrier, and its control routes."""

    def __init__(self, emulator: Emulator) -> None:
        self.url = emulator.url
        self.client: Any = EasyPostClient(emulator.api_key, api_base=f"{emulator.url}/v2", timeout=5)
        self.reference = f"shp_{uuid4().hex[:26]}"

    def create(self, **changes: Any) -> Any:
        wanted = {"from_address": LONDON, "to_address": BATH, "parcel": {"weight": 20}}
        return self.client.shipment.create(**{**wanted, "reference": self.reference, **changes})

    def bought(self) -> Any:
        shipment = self.create()
        return self.client.shipment.buy(shipment.id, rate=shipment.lowest_rate())

    def post(self, path: str, **body: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/_emulator/{path}", json=body)

    def advance(self, code: str, status: str | None = None) -> Any:
        answer = self.post(f"trackers/{code}/advance", **({} if status is None else {"status": status}))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def kinds(self) -> list[str]:
        """What the journal says of this reference, deliveries left out."""
        answer = httpx.get(f"{self.url}/_emulator/journal", params={"reference": self.reference})
        return [line["kind"] for line in answer.json()["data"] if not line["kind"].startswith("webhook.")]


@pytest.fixture
def desk(carrier_emulator: Emulator) -> Iterator[Desk]:
    """The world stands still, parcels move by hand only."""
    desk = Desk(carrier_emulator)
    desk.post("speed", step_seconds=None, handover_seconds=None)
    yield desk
    desk.post("speed", step_seconds=0.4, handover_seconds=None)
    desk.client._requests_session.close()


def test_a_parcel_is_quoted_by_started_pound_in_the_senders_currency(desk: Desk) -> None:
    rates = desk.create(parcel={"weight": 32.1}).rates

    assert [(rate.carrier, rate.service, rate.rate, rate.currency) for rate in rates] == [
        ("RoyalMail", "RoyalMail48", "4.65", "GBP"),
        ("RoyalMail", "RoyalMail24", "6.20", "GBP"),
        ("RoyalMail", "SpecialDeliveryGuaranteed", "10.95", "GBP"),
    ]
    assert desk.client.rate.retrieve(rates[1].id).rate == "6.20"


def test_a_parcel_abroad_goes_by_another_carrier(desk: Desk) -> None:
    shipment = desk.create(to_address={**BATH, "country": "DE", "zip": "10115"})

    assert {rate.carrier for rate in shipment.rates} == {"DHLExpress"}


def test_a_shipment_is_found_by_id_and_by_reference(desk: Desk) -> None:
    created = desk.create()

    assert desk.client.shipment.retrieve(created.id).reference == desk.reference
    assert desk.client.shipment.retrieve(desk.reference).id == created.id


def test_of_two_shipments_with_one_reference_the_newest_is_found_and_both_are_kept(desk: Desk) -> None:
    first, second = desk.create(), desk.create()

    assert desk.client.shipment.retrieve(desk.reference).id == second.id
    assert desk.client.shipment.retrieve(first.id).id == first.id


def test_lists_are_newest_first_and_split_by_purchase(desk: Desk) -> None:
    bought = [desk.bought().id for _ in range(3)]
    open_shipment = desk.create().id

    page = desk.client.shipment.all(page_size=2)
    assert [one.id for one in page.shipments] == bought[:0:-1]
    assert page.has_more is True
    older = desk.client.shipment.get_next_page(page, page_size=1)
    assert [one.id for one in older.shipments] == bought[:1]
    assert desk.client.shipment.all(purchased=False, page_size=1).shipments[0].id == open_shipment


def test_a_bought_label_is_a_picture_with_a_tracking_code(desk: Desk) -> None:
    bought = desk.bought()

    picture = httpx.get(bought.postage_label.label_url)
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture.content[16:24]) == (400, 600)
    assert bought.selected_rate.service == "RoyalMail48"
    assert bought.tracker.tracking_code == bought.tracking_code
    assert bought.tracking_code in httpx.get(bought.tracker.public_url).text
    assert desk.kinds() == ["shipment.created", "label.bought"]


def test_buying_twice_is_refused_and_buys_one_label(desk: Desk) -> None:
    bought = desk.bought()

    with pytest.raises(InvalidRequestError) as refused:
        desk.client.shipment.buy(bought.id, rate=bought.rates[1])

    assert refused.value.code == "SHIPMENT.POSTAGE.EXISTS"
    assert desk.client.shipment.retrieve(bought.id).tracking_code == bought.tracking_code
    assert desk.kinds().count("label.bought") == 1


def test_ten_purchases_at_once_buy_one_label(desk: Desk) -> None:
    shipment = desk.create()
    body = {"rate": {"id": shipment.rates[0].id}}
    headers = {"authorization": f"Bearer {desk.client.api_key}"}

    def buy(_: int) -> int:
        return httpx.post(
            f"{desk.url}/v2/shipments/{shipment.id}/buy", json=body, headers=headers
        ).status_code

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(buy, range(10))) == [200] + [422] * 9
    assert desk.kinds().count("label.bought") == 1


def test_another_shipments_rate_buys_nothing(desk: Desk) -> None:
    foreign, shipment = desk.create(), desk.create()

    with pytest.raises(InvalidRequestError) as refused:
        desk.client.shipment.buy(shipment.id, rate=foreign.rates[0])

    assert refused.value.code == "SHIPMENT.MISSING_RATE"
    assert desk.client.shipment.retrieve(shipment.id).postage_label is None
    assert "label.bought" not in desk.kinds()


def test_a_label_is_refunded_once_before_the_carrier_has_the_parcel(desk: Desk) -> None:
    bought = desk.bought()
    desk.advance(bought.tracking_code, "pre_transit")

    assert desk.client.shipment.refund(bought.id).refund_status == "submitted"
    assert desk.client.shipment.refund(bought.id).refund_status == "submitted"
    assert desk.kinds().count("label.voided") == 1

    desk.advance(bought.tracking_code)
    settled = desk.client.shipment.retrieve(bought.id)
    assert (settled.refund_status, settled.status) == ("refunded", "cancelled")
    assert [fee.refunded for fee in settled.fees] == [True]
    assert desk.kinds()[-1] == "refund.settled"


def test_a_refund_is_refused_once_the_parcel_was_scanned(desk: Desk) -> None:
    bought = desk.bought()
    desk.advance(bought.tracking_code, "in_transit")

    with pytest.raises(InvalidRequestError) as refused:
        desk.client.shipment.refund(bought.id)

    assert refused.value.code == "SHIPMENT.REFUND.UNAVAILABLE"
    assert desk.client.shipment.retrieve(bought.id).refund_status is None
    assert "label.voided" not in desk.kinds()


def test_a_refund_without_a_label_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        desk.client.shipment.refund(desk.create().id)

    assert refused.value.code == "SHIPMENT.POSTAGE.REQUIRED"


def without(address: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in address.items() if key != name}


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"to_address": {**BATH, "country": "XX"}}, "ADDRESS.COUNTRY.INVALID", "to_address.country"),
        ({"to_address": without(BATH, "street1")}, "SHIPMENT.INVALID_PARAMS", "to_address.street1"),
        ({"to_address": {**BATH, "zip": " "}}, "SHIPMENT.INVALID_PARAMS", "to_address.zip"),
        ({"from_address": without(LONDON, "name")}, "SHIPMENT.INVALID_PARAMS", "from_address.name"),
        ({"to_address": {**BATH, "country": "US"}}, "SHIPMENT.INVALID_PARAMS", "to_address.state"),
        ({"to_address": None}, "SHIPMENT.INVALID_PARAMS", "to_address"),
        ({"parcel": {"length": 3}}, "SHIPMENT.INVALID_PARAMS", "parcel.weight"),
        ({"parcel": {"weight": -1}}, "SHIPMENT.INVALID_PARAMS", "parcel.weight"),
        ({"parcel": {"weight": "heavy"}}, "SHIPMENT.INVALID_PARAMS", "parcel.weight"),
        ({"parcel": {"weight": 1, "height": 0}}, "SHIPMENT.INVALID_PARAMS", "parcel.height"),
        ({"options": "fast"}, "SHIPMENT.INVALID_PARAMS", "options"),
        ({"service": "First"}, "SHIPMENT.INVALID_PARAMS", "service"),
    ],
)
def test_bad_input_names_the_field_and_creates_nothing(
    desk: Desk, changes: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        desk.create(**changes)

    assert refused.value.code == code
    assert [error["field"] for error in refused.value.errors or []] == [field]
    assert desk.kinds() == []


def test_an_empty_shipment_is_refused_as_easypost_does(desk: Desk) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        desk.client.shipment.create()

    assert (refused.value.code, refused.value.http_status) == ("PARAMETER.REQUIRED", 422)


def test_a_body_that_is_not_json_is_refused(desk: Desk) -> None:
    headers = {"authorization": f"Bearer {desk.client.api_key}"}

    answer = httpx.post(f"{desk.url}/v2/shipments", content=b"{", headers=headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")


def test_the_key_is_asked_for(desk: Desk) -> None:
    path = f"{desk.url}/v2/events"

    assert httpx.get(path).status_code == 401
    assert httpx.get(path, auth=("wrong", "")).status_code == 401
    assert httpx.get(path, headers={"authorization": "Basic !"}).status_code == 401
    assert httpx.get(path, auth=(desk.client.api_key, "")).status_code == 200
    stranger: Any = EasyPostClient("wrong", api_base=f"{desk.url}/v2")
    with pytest.raises(UnauthorizedError):
        stranger.shipment.create(reference=desk.reference, from_address=LONDON)
    stranger._requests_session.close()
    assert desk.kinds() == []


def test_what_does_not_exist_is_not_found(desk: Desk) -> None:
    for call in (desk.client.shipment.retrieve, desk.client.tracker.retrieve, desk.client.event.retrieve):
        with pytest.raises(NotFoundError):
            call("shp_unknown")
    with pytest.raises(ApiError) as refused:
        desk.client.webhook.create(url="http://127.0.0.1:1")
    assert refused.value.http_status == 404


def test_a_tracker_is_found_by_id_and_by_code(desk: Desk) -> None:
    bought = desk.bought()

    by_code = desk.client.tracker.retrieve(bought.tracking_code)
    assert by_code.id == bought.tracker.id
    assert desk.client.tracker.retrieve(by_code.id).shipment_id == bought.id
    assert [one.id for one in desk.client.tracker.all(tracking_code=bought.tracking_code).trackers] == [
        by_code.id
    ]
    assert desk.client.tracker.create(tracking_code=bought.tracking_code).id == by_code.id


def test_a_test_code_gives_a_tracker_in_its_state(desk: Desk) -> None:
    tracker = desk.client.tracker.create(tracking_code="EZ5000000005", carrier="USPS")

    assert (tracker.status, tracker.carrier, tracker.shipment_id) == ("return_to_sender", "USPS", None)
    assert [detail.status for detail in tracker.tracking_details] == ["return_to_sender"]


def test_events_tell_what_changed(desk: Desk) -> None:
    bought = desk.bought()
    desk.advance(bought.tracking_code, "in_transit")

    newest = desk.client.event.all(page_size=1).events[0]
    event = desk.client.event.retrieve(newest.id)
    assert event.description == "tracker.updated"
    assert event.previous_attributes.status == "unknown"
    assert (event.result.id, event.result.status) == (bought.tracker.id, "in_transit")


def test_the_emulator_shares_no_code_with_the_product() -> None:
    code = (
        "import sys, devstack.emulators.carrier.__main__\n"
        "print([m for m in sys.modules if m.split('.')[0] in {'commerce', 'api', 'workflows', 'activities'}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
