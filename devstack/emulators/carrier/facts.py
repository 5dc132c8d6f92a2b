"""What the carrier did, one journal line each; the state is their sum, so a restart reads them back."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from devstack.emulators.carrier.documents import Shipment, TrackerStatus
from devstack.emulators.carrier.plans import Fate
from devstack.emulators.common.jsonvalue import JSON


class _Fact(BaseModel):
    """`time` is in Unix seconds; `reference` is the client's own name of the shipment."""

    model_config = ConfigDict(frozen=True)
    time: float
    reference: str | None = None


class ShipmentCreated(_Fact):
    kind: Literal["shipment.created"]
    shipment: Shipment


class LabelBought(_Fact):
    kind: Literal["label.bought"]
    shipment_id: str
    rate_id: str
    carrier: str
    service: str
    amount: str
    currency: str
    label_id: str
    tracker_id: str
    tracking_code: str
    event_id: str


class LabelVoided(_Fact):
    kind: Literal["label.voided"]
    shipment_id: str
    tracking_code: str
    refund_id: str


class RefundSettled(_Fact):
    kind: Literal["refund.settled"]
    shipment_id: str
    refund_id: str
    event_id: str


class TrackerCreated(_Fact):
    """A tracker for a parcel whose label was bought elsewhere."""

    kind: Literal["tracker.created"]
    tracker_id: str
    tracking_code: str
    carrier: str
    event_id: str


class TrackerMoved(_Fact):
    kind: Literal["tracker.moved"]
    tracker_id: str
    tracking_code: str
    status: TrackerStatus
    status_detail: str
    message: str
    at_destination: bool
    position: int
    event_id: str


class FateSet(_Fact):
    kind: Literal["parcel.fate"]
    fate: Fate


class WebhookSettled(_Fact):
    kind: Literal["webhook.delivered", "webhook.lost", "webhook.given_up"]
    event_id: str
    event_type: str
    attempts: int


Fact: TypeAlias = Annotated[
    ShipmentCreated
    | LabelBought
    | LabelVoided
    | RefundSettled
    | TrackerCreated
    | TrackerMoved
    | FateSet
    | WebhookSettled,
    Field(discriminator="kind"),
]

_READER: TypeAdapter[Fact] = TypeAdapter(Fact)


def read_fact(entry: dict[str, JSON]) -> Fact:
    return _READER.validate_python(entry)
