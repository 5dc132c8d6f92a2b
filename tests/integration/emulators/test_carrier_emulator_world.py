"""How the emulated world behaves: parcels that move, faults, webhooks, stops and restarts."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
from easypost.easypost_client import EasyPostClient
from easypost.errors import (
    HttpError,
    InternalServerError,
    JsonError,
    NotFoundError,
    RateLimitError,
    SignatureVerificationError,
    TimeoutError,
)
from easypost.util import validate_webhook

from devstack.processes import Child
from devstack.servers.emulators import Emulator
from devstack.testing import TestServers

HERE = {"name": "Warehouse", "street1": "1 High Street", "city": "London", "zip": "N1 1AA", "country": "GB"}
THERE = {"name": "Jane Doe", "street1": "2 Mill Lane", "city": "Bath", "zip": "BA1 1AA", "country": "GB"}


@dataclass
class Sink:
    """Takes webhooks; answers 500 to as many as `failures` says."""

    url: str = ""
    failures: int = 0
    taken: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    def events(self) -> list[Any]:
        return [json.loads(body) for body, _ in list(self.taken)]

    def statuses(self) -> list[str]:
        return [event["result"]["status"] for event in self.events()]

    def __call__(self, body: bytes, headers: dict[str, str]) -> int:
        if self.failures:
            self.failures -= 1
            return 500
        self.taken.append((body, headers))
        return 200


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(sink(body, dict(self.headers.items())))
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield sink
    server.shutdown()
    thread.join()
    server.server_close()


class World:
    """An emulator that stands still until told; its parcels are found by this test's own reference."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.client: Any = EasyPostClient(emulator.api_key, api_base=f"{emulator.url}/v2", timeout=2)
        self.reference = f"shp_{uuid4().hex[:26]}"
        self.post("speed", step_seconds=None, handover_seconds=None)

    def close(self) -> None:
        self.client._requests_session.close()

    def post(self, path: str, **body: Any) -> httpx.Response:
        return httpx.post(f"{self.emulator.url}/_emulator/{path}", json=body)

    def create(self) -> Any:
        wanted = {"from_address": HERE, "to_address": THERE, "parcel": {"weight": 20}}
        return self.client.shipment.create(**wanted, reference=self.reference)

    def bought(self) -> Any:
        shipment = self.create()
        return self.client.shipment.buy(shipment.id, rate=shipment.lowest_rate())

    def scans(self) -> list[str]:
        tracker = self.client.shipment.retrieve(self.reference).tracker
        return [detail.status for detail in tracker.tracking_details]

    def kinds(self) -> list[str]:
        answer = httpx.get(f"{self.emulator.url}/_emulator/journal", params={"reference": self.reference})
        return [line["kind"] for line in answer.json()["data"]]


@pytest.fixture
def own_emulator(servers: TestServers, sink: Sink) -> Emulator:
    """Not started; tells the sink."""
    return servers.new_carrier(sink.url)


@pytest.fixture
def child(own_emulator: Emulator) -> Iterator[Child]:
    child = own_emulator.start()
    yield child
    child.stop()


@pytest.fixture
def start_again(own_emulator: Emulator, child: Child) -> Iterator[Callable[[], None]]:
    """Once the child has ended."""
    children: list[Child] = []
    yield lambda: children.append(own_emulator.start())
    for one in children:
        one.stop()


@pytest.fixture
def world(own_emulator: Emulator, child: Child) -> Iterator[World]:
    world = World(own_emulator)
    yield world
    world.close()


@pytest.fixture
def shared_world(carrier_emulator: Emulator) -> Iterator[World]:
    """Quicker, for tests that look at no webhook: other tests' parcels are in it too."""
    world = World(carrier_emulator)
    yield world
    world.post("speed", step_seconds=0.4, handover_seconds=None)
    world.close()


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_parcel_goes_to_the_door_by_itself_and_tells_every_step(world: World, sink: Sink) -> None:
    world.post("speed", step_seconds=0.1)
    bought = world.bought()

    wait_for(lambda: len(sink.taken) == 5)
    tracker = world.client.tracker.retrieve(bought.tracking_code)
    assert world.scans() == ["pre_transit", "in_transit", "out_for_delivery", "delivered"]
    assert [d.tracking_location.city for d in tracker.tracking_details] == [
        "London",
        "London",
        "Bath",
        "Bath",
    ]
    assert (tracker.status, tracker.signed_by) == ("delivered", "Recipient")
    assert sink.statuses() == ["unknown", *world.scans()]
    assert [event["description"] for event in sink.events()] == ["tracker.created"] + ["tracker.updated"] * 4
    assert len({event["id"] for event in sink.events()}) == 5
    wait_for(lambda: world.kinds().count("webhook.delivered") == 5)


@pytest.mark.parametrize(
    ("fate", "scans"),
    [
        ("lost", ["pre_transit", "in_transit"]),
        ("late", ["pre_transit", "in_transit", "in_transit", "out_for_delivery", "delivered"]),
        ("pickup", ["pre_transit", "in_transit", "available_for_pickup", "delivered"]),
        ("returned", ["pre_transit", "in_transit", "out_for_delivery", "failure", "return_to_sender"]),
        ("failed", ["pre_transit", "in_transit", "out_for_delivery", "failure"]),
        ("error", ["pre_transit", "in_transit", "error"]),
    ],
)
def test_a_parcels_fate_can_be_set_before_its_label_is_bought(
    shared_world: World, fate: str, scans: list[str]
) -> None:
    shared_world.post("speed", step_seconds=0.02)
    assert shared_world.post("parcels", reference=shared_world.reference, fate=fate).status_code == 201
    shared_world.bought()

    wait_for(lambda: len(shared_world.scans()) >= len(scans))
    time.sleep(0.1)
    assert shared_world.scans() == scans


def test_a_fate_that_is_none_is_refused(shared_world: World) -> None:
    assert shared_world.post("parcels", reference="shp_x", fate="teleported").status_code == 400


def test_a_lost_parcel_is_found_again_when_its_fate_changes(shared_world: World) -> None:
    shared_world.post("speed", step_seconds=0.02)
    shared_world.post("parcels", reference=shared_world.reference, fate="lost")
    shared_world.bought()
    wait_for(lambda: shared_world.scans() == ["pre_transit", "in_transit"])

    shared_world.post("parcels", reference=shared_world.reference, fate="delivered")

    wait_for(lambda: shared_world.scans()[2:] == ["out_for_delivery", "delivered"])


def test_a_paused_world_moves_by_hand_only_and_in_any_order(shared_world: World) -> None:
    bought = shared_world.bought()
    time.sleep(0.3)
    assert shared_world.scans() == []

    code = bought.tracking_code
    assert shared_world.post(f"trackers/{code}/advance").json()["status"] == "pre_transit"
    assert (
        shared_world.post(f"trackers/{code}/advance", status="out_for_delivery").json()["status"]
        == "out_for_delivery"
    )
    assert (
        shared_world.post(f"trackers/{code}/advance", status="in_transit", message="Late scan").status_code
        == 200
    )
    assert shared_world.post(f"trackers/{code}/advance").json()["status"] == "delivered"
    assert shared_world.scans() == ["pre_transit", "out_for_delivery", "in_transit", "delivered"]
    for status in ("teleported", "cancelled", 7):
        assert shared_world.post(f"trackers/{code}/advance", status=status).status_code == 400
    assert shared_world.post("trackers/nobody/advance").status_code == 400
    assert shared_world.post("speed", step_seconds=-1).status_code == 400
    assert shared_world.scans()[-1] == "delivered"


def test_a_labelled_parcel_waits_for_its_handover(shared_world: World) -> None:
    shared_world.post("speed", step_seconds=0.02, handover_seconds=30)
    bought = shared_world.bought()
    wait_for(lambda: shared_world.scans() == ["pre_transit"])
    time.sleep(0.2)
    assert shared_world.scans() == ["pre_transit"]

    shared_world.post(f"trackers/{bought.tracking_code}/advance", status="in_transit")
    wait_for(lambda: shared_world.scans()[-1] == "delivered")


def test_a_voided_label_keeps_its_parcel_at_home(world: World, sink: Sink) -> None:
    bought = world.bought()
    world.post(f"trackers/{bought.tracking_code}/advance", status="pre_transit")
    world.client.shipment.refund(bought.id)
    world.post("speed", step_seconds=0.02, handover_seconds=30)

    wait_for(lambda: len(sink.taken) == 3)
    time.sleep(0.1)
    refund = sink.events()[2]
    assert (refund["description"], refund["result"]["status"]) == ("refund.successful", "refunded")
    assert refund["result"]["shipment_id"] == bought.id
    assert world.scans() == ["pre_transit"]


@pytest.mark.parametrize(
    ("mode", "error", "bought"),
    [
        ("error_before", InternalServerError, False),
        ("error_after", InternalServerError, True),
        ("rate_limit", RateLimitError, False),
        ("timeout_before", TimeoutError, False),
        ("timeout_after", TimeoutError, True),
        ("late", TimeoutError, True),
        ("reset", HttpError, True),
    ],
)
def test_a_fault_strikes_once_before_or_after_the_purchase(
    shared_world: World, mode: str, error: type[Exception], bought: bool
) -> None:
    shipment = shared_world.create()
    shared_world.client.timeout = 0.3 if error is TimeoutError else 5
    planted = shared_world.post(
        "faults",
        operation="shipments.buy",
        mode=mode,
        seconds=0.5,
        match={"reference": shared_world.reference},
    )
    assert planted.status_code == 201

    with pytest.raises((error, JsonError) if mode == "reset" else error):
        shared_world.client.shipment.buy(shipment.id, rate=shipment.rates[0])
    if mode == "late":
        wait_for(lambda: "label.bought" in shared_world.kinds())

    assert (shared_world.client.shipment.retrieve(shipment.id).postage_label is not None) is bought
    assert shared_world.kinds().count("label.bought") == int(bought)


def test_a_fault_may_lose_a_refusal_too(shared_world: World) -> None:
    shared_world.post(
        "faults",
        operation="shipments.retrieve",
        mode="error_after",
        match={"reference": shared_world.reference},
    )

    with pytest.raises(InternalServerError):
        shared_world.client.shipment.retrieve(shared_world.reference)
    with pytest.raises(NotFoundError):
        shared_world.client.shipment.retrieve(shared_world.reference)


def test_a_fault_that_could_never_strike_is_refused(shared_world: World) -> None:
    assert shared_world.post("faults", operation="shipments.sell", mode="reset").status_code == 400
    assert shared_world.post("faults", operation="shipments.buy", mode="wrong_amount").status_code == 400


def test_a_fault_strikes_only_what_it_matches(shared_world: World) -> None:
    shared_world.post("faults", operation="*", mode="error_before", match={"reference": "shp_other"})

    assert shared_world.bought().tracking_code


def signature(sink: Sink) -> dict[str, str]:
    """Of the first webhook, its name spelt as EasyPost's function looks it up."""
    headers = {name.lower(): value for name, value in sink.taken[0][1].items()}
    return {"X-Hmac-Signature": headers["x-hmac-signature"]}


def test_webhooks_verify_with_easyposts_own_function_over_the_raw_bytes(world: World, sink: Sink) -> None:
    world.bought()
    wait_for(lambda: len(sink.taken) == 1)
    body, named = sink.taken[0][0], signature(sink)

    assert validate_webhook(body, named, world.emulator.webhook_secret)["description"] == "tracker.created"
    with pytest.raises(SignatureVerificationError):
        validate_webhook(body.replace(b"unknown", b"delivered"), named, world.emulator.webhook_secret)
    with pytest.raises(SignatureVerificationError):
        validate_webhook(body, named, "another secret")


def test_a_wrong_signature_does_not_verify(world: World, sink: Sink) -> None:
    world.post("webhooks/modes", mode="wrong_signature")
    world.bought()
    wait_for(lambda: len(sink.taken) == 1)

    with pytest.raises(SignatureVerificationError):
        validate_webhook(sink.taken[0][0], signature(sink), world.emulator.webhook_secret)


def test_webhooks_come_twice_late_or_never_when_asked(world: World, sink: Sink) -> None:
    code = world.bought().tracking_code
    wait_for(lambda: len(sink.taken) == 1)
    world.post("webhooks/modes", event_type="tracker.updated", mode="duplicate")
    world.post("webhooks/modes", event_type="tracker.updated", mode="reorder", seconds=5)
    world.post("webhooks/modes", event_type="tracker.updated", mode="lose")

    world.post(f"trackers/{code}/advance", status="pre_transit")
    wait_for(lambda: len(sink.taken) == 3)
    assert sink.taken[1] == sink.taken[2]
    world.post(f"trackers/{code}/advance", status="in_transit")
    world.post(f"trackers/{code}/advance", status="out_for_delivery")
    world.post(f"trackers/{code}/advance", status="delivered")
    wait_for(lambda: len(sink.taken) == 5)

    assert sink.statuses()[3:] == ["delivered", "in_transit"]
    wait_for(lambda: world.kinds().count("webhook.lost") == 1)
    lost = next(e.id for e in world.client.event.all().events if e.id not in {s["id"] for s in sink.events()})
    assert world.post(f"events/{lost}/resend").status_code == 202
    wait_for(lambda: sink.statuses()[-1] == "out_for_delivery")


def test_a_refused_webhook_is_sent_again(world: World, sink: Sink) -> None:
    sink.failures = 1
    world.bought()

    wait_for(lambda: len(sink.taken) == 1)
    wait_for(lambda: "webhook.delivered" in world.kinds())
    deliveries = httpx.get(f"{world.emulator.url}/_emulator/webhooks").json()["data"]
    assert [(one["state"], one["attempts"]) for one in deliveries] == [("delivered", 2)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_restart_keeps_labels_parcels_and_unsent_webhooks(
    world: World, child: Child, start_again: Callable[[], None], sink: Sink, number: signal.Signals
) -> None:
    bought = world.bought()
    wait_for(lambda: "webhook.delivered" in world.kinds())
    sink.failures = 1_000
    moved = world.post(f"trackers/{bought.tracking_code}/advance", status="in_transit").json()
    before = world.client.shipment.retrieve(world.reference).to_dict()

    child.signal(number)
    child.stop()
    start_again()
    world.post("speed", step_seconds=None)

    assert world.client.shipment.retrieve(world.reference).to_dict() == before
    assert world.client.tracker.retrieve(bought.tracking_code).to_dict() == moved
    sink.failures = 0
    wait_for(lambda: sink.statuses() == ["unknown", "in_transit"])
    world.post("speed", step_seconds=0.02)
    wait_for(lambda: world.scans() == ["in_transit", "out_for_delivery", "delivered"])
    assert world.kinds().count("label.bought") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_fast_and_leaves_cleanly(own_emulator: Emulator, number: signal.Signals) -> None:
    child = own_emulator.start()
    used = psutil.Process(child.pid).cpu_times()
    assert used.user + used.system < 1.5

    child.signal(number)
    wait_for(lambda: not child.alive)
    assert child.exit_code == 0
    assert own_emulator.log.read_text() == ""


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [
            "-m",
            "devstack.emulators.carrier",
            f"--port={port}",
            f"--data-dir={tmp_path}",
            "--api-key=k",
        ]
        done = subprocess.run(
            [sys.executable, *command], check=False, capture_output=True, text=True, timeout=10
        )

    assert done.returncode == 1
    assert done.stderr == f"cannot listen on 127.0.0.1:{port}: Address already in use\n"
