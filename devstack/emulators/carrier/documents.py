"""EasyPost's objects, fields named as in its JSON; `view` functions elsewhere add what depends on the run."""

import secrets
from datetime import UTC, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, JsonValue


class TrackerStatus(StrEnum):
    UNKNOWN = "unknown"
    PRE_TRANSIT = "pre_transit"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    RETURN_TO_SENDER = "return_to_sender"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    ERROR = "error"


NOT_HANDED_OVER = frozenset({TrackerStatus.UNKNOWN, TrackerStatus.PRE_TRANSIT})
"""Only in these can a label be refunded: the carrier has not scanned the parcel yet."""


class RefundStatus(StrEnum):
    SUBMITTED = "submitted"
    REFUNDED = "refunded"


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(16)}"


def stamp(unix_seconds: float) -> str:
    """EasyPost's datetime: UTC, whole seconds."""
    return datetime.fromtimestamp(int(unix_seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Document(BaseModel):
    model_config = ConfigDict(frozen=True)


class Address(Document):
    id: str
    object: str = "Address"
    mode: str = "test"
    created_at: str
    updated_at: str
    name: str | None = None
    company: str | None = None
    street1: str
    street2: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str
    phone: str | None = None
    email: str | None = None
    residential: bool | None = None
    verifications: dict[str, JsonValue] = {}


class Parcel(Document):
    """Inches and ounces, as EasyPost measures."""

    id: str
    object: str = "Parcel"
    mode: str = "test"
    created_at: str
    updated_at: str
    length: float | None = None
    width: float | None = None
    height: float | None = None
    predefined_package: str | None = None
    weight: float


class Rate(Document):
    id: str
    object: str = "Rate"
    mode: str = "test"
    created_at: str
    updated_at: str
    carrier: str
    service: str
    rate: str
    currency: str
    delivery_days: int
    est_delivery_days: int
    delivery_date: str | None = None
    delivery_date_guaranteed: bool = False
    shipment_id: str
    carrier_account_id: str


class PostageLabel(Document):
    id: str
    object: str = "PostageLabel"
    created_at: str
    updated_at: str
    label_date: str
    label_resolution: int = 200
    label_size: str = "4x6"
    label_type: str = "default"
    label_file_type: str = "image/png"
    label_url: str
    label_pdf_url: str | None = None


class TrackingLocation(Document):
    object: str = "TrackingLocation"
    city: str | None = None
    state: str | None = None
    country: str | None = None
    zip: str | None = None


class TrackingDetail(Document):
    object: str = "TrackingDetail"
    message: str
    description: str | None = None
    status: TrackerStatus
    status_detail: str
    datetime: str
    source: str
    carrier_code: str | None = None
    tracking_location: TrackingLocation


class Tracker(Document):
    id: str
    object: str = "Tracker"
    mode: str = "test"
    created_at: str
    updated_at: str
    tracking_code: str
    carrier: str
    shipment_id: str | None = None
    status: TrackerStatus = TrackerStatus.UNKNOWN
    status_detail: str = "unknown"
    signed_by: str | None = None
    weight: float | None = None
    est_delivery_date: str | None = None
    is_return: bool = False
    tracking_details: tuple[TrackingDetail, ...] = ()
    public_url: str


class Shipment(Document):
    id: str
    object: str = "Shipment"
    mode: str = "test"
    created_at: str
    updated_at: str
    reference: str | None = None
    is_return: bool = False
    options: dict[str, JsonValue] = {}
    customs_info: JsonValue = None
    messages: tuple[JsonValue, ...] = ()
    from_address: Address
    to_address: Address
    parcel: Parcel
    rates: tuple[Rate, ...]
    selected_rate: Rate | None = None
    postage_label: PostageLabel | None = None
    tracking_code: str | None = None
    refund_status: RefundStatus | None = None
    insurance: str | None = None
    order_id: str | None = None
    fees: tuple[JsonValue, ...] = ()


class Event(Document):
    id: str
    object: str = "Event"
    mode: str = "test"
    created_at: str
    updated_at: str
    description: str
    previous_attributes: dict[str, JsonValue] = {}
    result: dict[str, JsonValue]
    user_id: str = "user_00000000000000000000000000000001"
    status: str = "pending"
    pending_urls: tuple[str, ...] = ()
    completed_urls: tuple[str, ...] = ()
