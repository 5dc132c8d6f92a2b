"""Messages of a parcel's life."""

from dataclasses import dataclass, field

from commerce.contracts.checkout import OrderProgress
from commerce.contracts.context import RequestContext
from commerce.contracts.statuses import ShipmentStatus


@dataclass(frozen=True)
class ShipmentInput:
    shipment_id: str
    order_id: str
    number: str
    context: RequestContext
    attention_after_seconds: int = 120
    """A step that has failed for this long is shown to support."""


@dataclass(frozen=True)
class ShipmentRef:
    shipment_id: str
    order_id: str
    context: RequestContext


@dataclass(frozen=True)
class Label:
    """`bought` is false when the shipment was cancelled before its label could be bought."""

    bought: bool
    tracking_code: str | None = None


@dataclass(frozen=True)
class RecordTracking:
    """Applies the carrier's facts behind these inbox rows to the shipment, by rank."""

    shipment_id: str
    order_id: str
    context: RequestContext
    event_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ShipmentProgress:
    status: ShipmentStatus
    order: OrderProgress


@dataclass(frozen=True)
class ShipmentResult:
    shipment_id: str
    status: ShipmentStatus
    order: OrderProgress | None = None
