"""The sum of the facts: how each changes what is known, and the event that it sends."""

from typing import cast

from pydantic import JsonValue

from devstack.emulators.carrier.documents import (
    Event,
    PostageLabel,
    RefundStatus,
    Shipment,
    Tracker,
    TrackerStatus,
    TrackingDetail,
    TrackingLocation,
    stamp,
)
from devstack.emulators.carrier.facts import (
    Fact,
    FateSet,
    LabelBought,
    LabelVoided,
    RefundSettled,
    ShipmentCreated,
    TrackerCreated,
    TrackerMoved,
)
from devstack.emulators.carrier.plans import Fate

_ESTIMATE_SECONDS = 86_400


class State:
    """A function of the facts alone, so that live and read back it is the same, events included."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url
        self.shipments: dict[str, Shipment] = {}
        self.trackers: dict[str, Tracker] = {}
        self.events: dict[str, Event] = {}
        self.unsettled: dict[str, Event] = {}
        self.positions: dict[str, int] = {}
        self.refund_ids: dict[str, str] = {}
        self._fates: dict[str, Fate] = {}
        self._by_reference: dict[str, str] = {}
        self._tracker_ids: dict[str, str] = {}
        """By shipment id and by tracking code."""

    def apply(self, fact: Fact) -> Event | None:
        match fact:
            case ShipmentCreated():
                self._store(fact.shipment)
            case LabelBought():
                return self._label_bought(fact)
            case LabelVoided():
                self._label_voided(fact)
            case RefundSettled():
                return self._refund_settled(fact)
            case TrackerCreated():
                return self._tracker_created(fact)
            case TrackerMoved():
                return self._tracker_moved(fact)
            case FateSet():
                self._fates[fact.reference or ""] = fact.fate
            case _:
                self.unsettled.pop(fact.event_id, None)
        return None

    def newest_by_reference(self, reference: str) -> Shipment | None:
        shipment_id = self._by_reference.get(reference)
        return None if shipment_id is None else self.shipments[shipment_id]

    def tracker_by_key(self, key: str) -> Tracker | None:
        shipment = self.newest_by_reference(key)
        by_shipment = None if shipment is None else self._tracker_ids.get(shipment.id)
        return self.trackers.get(self._tracker_ids.get(key) or by_shipment or key)

    def tracker_of(self, shipment: Shipment) -> Tracker | None:
        return self.trackers.get(self._tracker_ids.get(shipment.id, ""))

    def shipment_of(self, tracker: Tracker) -> Shipment | None:
        return None if tracker.shipment_id is None else self.shipments[tracker.shipment_id]

    def reference_of(self, tracker: Tracker) -> str | None:
        shipment = self.shipment_of(tracker)
        return None if shipment is None else shipment.reference

    def reference_of_event(self, event_id: str) -> str | None:
        result = self.events[event_id].result
        shipment_id = result.get("shipment_id")
        return self.shipments[shipment_id].reference if isinstance(shipment_id, str) else None

    def fate_of(self, tracker: Tracker) -> Fate:
        return self._fates.get(self.reference_of(tracker) or "", Fate.DELIVERED)

    def _store(self, shipment: Shipment) -> None:
        self.shipments[shipment.id] = shipment
        if shipment.reference is not None:
            self._by_reference[shipment.reference] = shipment.id

    def _label_bought(self, fact: LabelBought) -> Event:
        now = stamp(fact.time)
        shipment = self.shipments[fact.shipment_id]
        rate = next(rate for rate in shipment.rates if rate.id == fact.rate_id)
        label = PostageLabel(
            id=fact.label_id,
            created_at=now,
            updated_at=now,
            label_date=now,
            label_url=f"{self._public_url}/labels/{fact.tracking_code}.png",
        )
        fee: dict[str, JsonValue] = {
            "object": "Fee",
            "type": "PostageFee",
            "amount": f"{rate.rate}000",
            "charged": True,
            "refunded": False,
        }
        bought = {
            "selected_rate": rate,
            "postage_label": label,
            "tracking_code": fact.tracking_code,
            "fees": (fee,),
            "updated_at": now,
        }
        self.shipments[shipment.id] = shipment.model_copy(update=bought)
        self._tracker_ids[shipment.id] = fact.tracker_id
        return self._add_tracker(fact, fact.carrier, shipment, rate.delivery_days)

    def _label_voided(self, fact: LabelVoided) -> None:
        self.refund_ids[fact.shipment_id] = fact.refund_id
        update = {"refund_status": RefundStatus.SUBMITTED, "updated_at": stamp(fact.time)}
        shipment = self.shipments[fact.shipment_id]
        self.shipments[shipment.id] = shipment.model_copy(update=update)

    def _refund_settled(self, fact: RefundSettled) -> Event:
        now = stamp(fact.time)
        shipment = self.shipments[fact.shipment_id]
        fees = tuple({**cast("dict[str, JsonValue]", fee), "refunded": True} for fee in shipment.fees)
        update = {"refund_status": RefundStatus.REFUNDED, "fees": fees, "updated_at": now}
        self.shipments[shipment.id] = shipment.model_copy(update=update)
        tracker = self.trackers[self._tracker_ids[shipment.id]]
        cancelled = {"status": TrackerStatus.CANCELLED, "status_detail": "cancelled", "updated_at": now}
        self.trackers[tracker.id] = tracker.model_copy(update=cancelled)
        refund: dict[str, JsonValue] = {
            "id": fact.refund_id,
            "object": "Refund",
            "created_at": now,
            "updated_at": now,
            "tracking_code": tracker.tracking_code,
            "confirmation_number": None,
            "status": "refunded",
            "carrier": tracker.carrier,
            "shipment_id": shipment.id,
        }
        return self._event(fact.event_id, "refund.successful", fact.time, refund)

    def _tracker_created(self, fact: TrackerCreated) -> Event:
        return self._add_tracker(fact, fact.carrier, None, days=1)

    def _add_tracker(
        self, fact: LabelBought | TrackerCreated, carrier: str, shipment: Shipment | None, days: int
    ) -> Event:
        tracker = Tracker(
            id=fact.tracker_id,
            created_at=stamp(fact.time),
            updated_at=stamp(fact.time),
            tracking_code=fact.tracking_code,
            carrier=carrier,
            shipment_id=None if shipment is None else shipment.id,
            weight=None if shipment is None else shipment.parcel.weight,
            est_delivery_date=stamp(fact.time + days * _ESTIMATE_SECONDS),
            public_url=f"{self._public_url}/track/{fact.tracking_code}",
        )
        self.trackers[tracker.id] = tracker
        self._tracker_ids[fact.tracking_code] = tracker.id
        return self._event(fact.event_id, "tracker.created", fact.time, tracker.model_dump(mode="json"))

    def _tracker_moved(self, fact: TrackerMoved) -> Event:
        before = self.trackers[fact.tracker_id]
        detail = TrackingDetail(
            message=fact.message,
            status=fact.status,
            status_detail=fact.status_detail,
            datetime=stamp(fact.time),
            source=before.carrier,
            tracking_location=self._location(before, fact.at_destination),
        )
        shipment = self.shipment_of(before)
        signed = shipment is not None and fact.status is TrackerStatus.DELIVERED
        tracker = before.model_copy(
            update={
                "status": fact.status,
                "status_detail": fact.status_detail,
                "updated_at": stamp(fact.time),
                "signed_by": "Recipient" if signed else before.signed_by,
                "tracking_details": (*before.tracking_details, detail),
            }
        )
        self.trackers[tracker.id] = tracker
        self.positions[tracker.id] = fact.position
        view = tracker.model_dump(mode="json")
        return self._event(fact.event_id, "tracker.updated", fact.time, view, {"status": before.status.value})

    def _location(self, tracker: Tracker, at_destination: bool) -> TrackingLocation:
        shipment = self.shipment_of(tracker)
        if shipment is None:
            return TrackingLocation()
        place = shipment.to_address if at_destination else shipment.from_address
        return TrackingLocation(city=place.city, state=place.state, country=place.country, zip=place.zip)

    def _event(
        self,
        event_id: str,
        description: str,
        time: float,
        result: dict[str, JsonValue],
        previous: dict[str, JsonValue] | None = None,
    ) -> Event:
        event = Event(
            id=event_id,
            created_at=stamp(time),
            updated_at=stamp(time),
            description=description,
            previous_attributes=previous or {},
            result=result,
        )
        self.events[event.id] = event
        self.unsettled[event.id] = event
        return event
