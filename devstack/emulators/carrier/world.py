"""The carrier's state and what may be done to it. Nothing here waits: each command is one atomic step."""

import secrets
from collections.abc import Callable, Mapping
from typing import cast

from pydantic import JsonValue

from devstack.emulators.carrier import errors
from devstack.emulators.carrier.documents import (
    NOT_HANDED_OVER,
    Event,
    Rate,
    RefundStatus,
    Shipment,
    Tracker,
    TrackerStatus,
    new_id,
)
from devstack.emulators.carrier.facts import read_fact
from devstack.emulators.carrier.plans import TEST_CODES, Fate, Scan, next_scan, position_after, scan_for
from devstack.emulators.carrier.state import State
from devstack.emulators.carrier.validation import read_shipment
from devstack.emulators.common.journal import Journal
from devstack.emulators.common.jsonvalue import JSON


class World:
    """Every change is a journal line first and then applied; a restart applies the lines again.

    `announce` is called with each event after its change, never for those read back at the start.
    """

    def __init__(self, journal: Journal, public_url: str, announce: Callable[[Event], None]) -> None:
        self._journal = journal
        self._announce = announce
        self.state = State(public_url)
        for entry in journal.entries():
            self.state.apply(read_fact(entry))

    def create_shipment(self, body: Mapping[str, JSON], now: float) -> Shipment:
        """Raises Refusal. References need not be unique, as at EasyPost."""
        shipment = read_shipment(body, now)
        document = cast("JSON", shipment.model_dump(mode="json"))
        self._commit("shipment.created", shipment.reference, shipment=document)
        return self.state.shipments[shipment.id]

    def shipment(self, key: str) -> Shipment:
        """By id, or by reference: of several with the same reference the newest. Raises Refusal."""
        found = self.state.shipments.get(key) or self.state.newest_by_reference(key)
        if found is None:
            raise errors.not_found()
        return found

    def buy(self, shipment: Shipment, rate_id: str) -> Shipment:
        """Raises Refusal: a shipment is bought once, also after a refund."""
        if shipment.postage_label is not None:
            raise errors.postage_exists()
        rate = _rate(shipment, rate_id)
        self._commit(
            "label.bought",
            shipment.reference,
            shipment_id=shipment.id,
            rate_id=rate.id,
            carrier=rate.carrier,
            service=rate.service,
            amount=rate.rate,
            currency=rate.currency,
            label_id=new_id("pl"),
            tracker_id=new_id("trk"),
            tracking_code=f"CX{secrets.randbelow(10**12):012d}{shipment.from_address.country}",
            event_id=new_id("evt"),
        )
        return self.state.shipments[shipment.id]

    def refund(self, shipment: Shipment) -> Shipment:
        """Raises Refusal without a label, and once the carrier has the parcel. A repeat changes nothing."""
        tracker = self.state.tracker_of(shipment)
        if tracker is None:
            raise errors.postage_required()
        if shipment.refund_status is not None:
            return shipment
        if tracker.status not in NOT_HANDED_OVER:
            raise errors.refund_unavailable()
        self._commit(
            "label.voided",
            shipment.reference,
            shipment_id=shipment.id,
            tracking_code=tracker.tracking_code,
            refund_id=new_id("rfnd"),
        )
        return self.state.shipments[shipment.id]

    def create_tracker(self, tracking_code: str, carrier: str) -> Tracker:
        """The known tracker of this code, else a new one; a test code's starts in the state it stands for."""
        known = self.state.tracker_by_key(tracking_code)
        if known is not None:
            return known
        tracker_id = new_id("trk")
        self._commit(
            "tracker.created",
            None,
            tracker_id=tracker_id,
            tracking_code=tracking_code,
            carrier=carrier,
            event_id=new_id("evt"),
        )
        scan = scan_for(TEST_CODES.get(tracking_code, TrackerStatus.UNKNOWN))
        if scan is not None:
            self._move(self.state.trackers[tracker_id], scan, position=0)
        return self.state.trackers[tracker_id]

    def tracker(self, key: str) -> Tracker:
        """By id, tracking code, or the reference of its shipment. Raises Refusal."""
        found = self.state.tracker_by_key(key)
        if found is None:
            raise errors.not_found()
        return found

    def pending_scan(self, tracker: Tracker) -> Scan | None:
        """What happens next by itself to this parcel, None at its journey's end."""
        if tracker.status is TrackerStatus.CANCELLED or tracker.shipment_id is None:
            return None
        return next_scan(self.state.fate_of(tracker), self.state.positions.get(tracker.id, 0))

    def step(self, tracker: Tracker) -> Tracker:
        """The next scan of the parcel's fate; a refund asked for comes through instead."""
        shipment = self.state.shipment_of(tracker)
        if shipment is not None and shipment.refund_status is RefundStatus.SUBMITTED:
            return self._settle_refund(shipment, tracker)
        scan = self.pending_scan(tracker)
        if scan is None:
            return tracker
        return self._move(tracker, scan, self.state.positions.get(tracker.id, 0) + 1)

    def advance(self, tracker: Tracker, status: TrackerStatus, message: str | None) -> Tracker:
        """A scan by hand, in any order. Raises KeyError for a status that no scan reports."""
        scan = scan_for(status)
        if scan is None:
            raise KeyError(status)
        here = self.state.positions.get(tracker.id, 0)
        position = position_after(self.state.fate_of(tracker), here, status)
        return self._move(tracker, scan, position, message)

    def set_fate(self, reference: str, fate: Fate) -> None:
        self._commit("parcel.fate", reference, fate=fate.value)

    def webhook_settled(self, event_id: str, event_type: str, outcome: str, attempts: int) -> None:
        self._commit(
            f"webhook.{outcome}",
            self.state.reference_of_event(event_id),
            event_id=event_id,
            event_type=event_type,
            attempts=attempts,
        )

    def _move(self, tracker: Tracker, scan: Scan, position: int, message: str | None = None) -> Tracker:
        self._commit(
            "tracker.moved",
            self.state.reference_of(tracker),
            tracker_id=tracker.id,
            tracking_code=tracker.tracking_code,
            status=scan.status.value,
            status_detail=scan.status_detail,
            message=message or scan.message,
            at_destination=scan.at_destination,
            position=position,
            event_id=new_id("evt"),
        )
        return self.state.trackers[tracker.id]

    def _settle_refund(self, shipment: Shipment, tracker: Tracker) -> Tracker:
        self._commit(
            "refund.settled",
            shipment.reference,
            shipment_id=shipment.id,
            refund_id=self.state.refund_ids[shipment.id],
            event_id=new_id("evt"),
        )
        return self.state.trackers[tracker.id]

    def _commit(self, kind: str, reference: str | None, **fields: JSON) -> None:
        entry = self._journal.build(kind, None, reference=reference, **fields)
        fact = read_fact(entry)
        self._journal.write(entry)
        event = self.state.apply(fact)
        if event is not None:
            self._announce(event)


def _rate(shipment: Shipment, rate_id: str) -> Rate:
    for rate in shipment.rates:
        if rate.id == rate_id:
            return rate
    raise errors.rate_missing()


def shipment_view(state: State, shipment: Shipment) -> dict[str, JsonValue]:
    """EasyPost's JSON of a shipment: its tracker inside, its status that of the tracker."""
    tracker = state.tracker_of(shipment)
    view = shipment.model_dump(mode="json")
    view["tracker"] = None if tracker is None else tracker.model_dump(mode="json")
    view["status"] = (TrackerStatus.UNKNOWN if tracker is None else tracker.status).value
    view["return_address"] = view["from_address"]
    view["buyer_address"] = view["to_address"]
    for absent in ("usps_zone", "scan_form", "batch_id", "batch_status", "batch_message"):
        view[absent] = None
    view["forms"] = []
    return view
