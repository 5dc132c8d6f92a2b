"""A parcel's news in our own words, from a webhook or asked for: the same scan is the same fact in both."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from commerce.contracts.statuses import ShipmentStatus
from commerce.domain.providers import TrackingFact

STATUSES: Mapping[str, ShipmentStatus | None] = {
    "unknown": None,
    "pre_transit": ShipmentStatus.LABELLED,
    "in_transit": ShipmentStatus.HANDED_OVER,
    "out_for_delivery": ShipmentStatus.OUT_FOR_DELIVERY,
    "available_for_pickup": ShipmentStatus.OUT_FOR_DELIVERY,
    "delivered": ShipmentStatus.DELIVERED,
    "return_to_sender": ShipmentStatus.RETURNING,
    "failure": None,
    "cancelled": None,
    "error": None,
}
"""`failure` is an attempt that did not succeed: most such parcels are delivered the next day."""

_LOST = "lost"


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_aware)]


class _Location(BaseModel):
    city: str | None = None


class _Scan(BaseModel):
    message: str | None = None
    status: str | None = None
    status_detail: str | None = None
    datetime: Moment
    tracking_location: _Location | None = None


class TrackerNews(BaseModel):
    """A tracker, or a refund of a label, which names its parcel in the same way."""

    id: str
    object: str
    tracking_code: str
    status: str = "unknown"
    updated_at: Moment
    public_url: str | None = None
    tracking_details: list[_Scan] = Field(default_factory=list)

    def facts(self, shipment_id: str | None) -> Sequence[TrackingFact]:
        """Oldest first, never empty: news without a scan is a fact that moves nothing."""
        scans = sorted(self.tracking_details, key=lambda scan: scan.datetime)
        facts = {fact.event_id: fact for fact in (self._fact(scan, shipment_id) for scan in scans)}
        if self.object != "Tracker" or not any(scan.status == self.status for scan in scans):
            last = self._summary(shipment_id)
            facts[last.event_id] = last
        return list(facts.values())

    def _fact(self, scan: _Scan, shipment_id: str | None) -> TrackingFact:
        status = ShipmentStatus.LOST if scan.status_detail == _LOST else STATUSES.get(scan.status or "")
        city = scan.tracking_location.city if scan.tracking_location is not None else None
        message = scan.message or scan.status or "News without words"
        return TrackingFact(
            event_id=f"{self.id}:{_digest(scan)}",
            shipment_id=shipment_id,
            tracking_code=self.tracking_code,
            status=status,
            text=f"{message} ({city})" if city else message,
            occurred_at=scan.datetime,
        )

    def _summary(self, shipment_id: str | None) -> TrackingFact:
        """What the object as a whole says where none of its scans does."""
        tracker = self.object == "Tracker"
        return TrackingFact(
            event_id=f"{self.id}:{self.status}",
            shipment_id=shipment_id,
            tracking_code=self.tracking_code,
            status=STATUSES.get(self.status) if tracker else None,
            text=f"{'Parcel' if tracker else self.object}: {self.status}",
            occurred_at=self.updated_at,
        )


def read_news(result: object) -> TrackerNews | None:
    """None for news about anything else than one parcel."""
    try:
        return TrackerNews.model_validate(result)
    except ValidationError:
        return None


def _digest(scan: _Scan) -> str:
    """EasyPost's scans have no id: time, words and place tell them apart, at any position in the list."""
    place = scan.tracking_location.city if scan.tracking_location is not None else None
    parts = (scan.datetime.isoformat(), scan.status, scan.status_detail, scan.message, place)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]
