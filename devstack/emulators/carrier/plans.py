"""The ways a parcel can go: each fate is the list of scans that the carrier will report."""

from dataclasses import dataclass
from enum import StrEnum

from devstack.emulators.carrier.documents import TrackerStatus


class Fate(StrEnum):
    DELIVERED = "delivered"
    LATE = "late"
    """Delayed on the way, delivered in the end."""
    LOST = "lost"
    """Scanned at the origin and never again."""
    PICKUP = "pickup"
    RETURNED = "returned"
    FAILED = "failed"
    ERROR = "error"


LATE_STEPS = 10.0
"""How many times the usual pause a delayed parcel stands still."""


@dataclass(frozen=True)
class Scan:
    """`steps` is how long the parcel waits before this scan, in multiples of the usual pause."""

    status: TrackerStatus
    status_detail: str
    message: str
    at_destination: bool = True
    steps: float = 1.0


_LABEL = Scan(TrackerStatus.PRE_TRANSIT, "label_created", "Shipping label created", at_destination=False)
_ORIGIN = Scan(
    TrackerStatus.IN_TRANSIT,
    "received_at_origin_facility",
    "Received at the origin depot",
    at_destination=False,
)
_DELAYED = Scan(TrackerStatus.IN_TRANSIT, "delayed", "Delayed on the way", at_destination=False)
_VAN = Scan(TrackerStatus.OUT_FOR_DELIVERY, "out_for_delivery", "Out for delivery")
_LATE_VAN = Scan(TrackerStatus.OUT_FOR_DELIVERY, "out_for_delivery", "Out for delivery", steps=LATE_STEPS)
_DOOR = Scan(TrackerStatus.DELIVERED, "arrived_at_destination", "Delivered")
_SHOP = Scan(TrackerStatus.AVAILABLE_FOR_PICKUP, "arrived_at_pickup_location", "Ready to be collected")
_COLLECTED = Scan(TrackerStatus.DELIVERED, "arrived_at_pickup_location", "Collected by the recipient")
_REFUSED = Scan(TrackerStatus.FAILURE, "delivery_exception", "Could not be delivered")
_BACK = Scan(TrackerStatus.RETURN_TO_SENDER, "return", "On its way back to the sender")
_BROKEN = Scan(TrackerStatus.ERROR, "status_update", "The carrier reported an error")

PLANS: dict[Fate, tuple[Scan, ...]] = {
    Fate.DELIVERED: (_LABEL, _ORIGIN, _VAN, _DOOR),
    Fate.LATE: (_LABEL, _ORIGIN, _DELAYED, _LATE_VAN, _DOOR),
    Fate.LOST: (_LABEL, _ORIGIN),
    Fate.PICKUP: (_LABEL, _ORIGIN, _SHOP, _COLLECTED),
    Fate.RETURNED: (_LABEL, _ORIGIN, _VAN, _REFUSED, _BACK),
    Fate.FAILED: (_LABEL, _ORIGIN, _VAN, _REFUSED),
    Fate.ERROR: (_LABEL, _ORIGIN, _BROKEN),
}

_BY_STATUS = {scan.status: scan for scan in (_LABEL, _ORIGIN, _VAN, _DOOR, _SHOP, _REFUSED, _BACK, _BROKEN)}

TEST_CODES: dict[str, TrackerStatus] = {
    "EZ1000000001": TrackerStatus.PRE_TRANSIT,
    "EZ2000000002": TrackerStatus.IN_TRANSIT,
    "EZ3000000003": TrackerStatus.OUT_FOR_DELIVERY,
    "EZ4000000004": TrackerStatus.DELIVERED,
    "EZ5000000005": TrackerStatus.RETURN_TO_SENDER,
    "EZ6000000006": TrackerStatus.FAILURE,
    "EZ7000000007": TrackerStatus.UNKNOWN,
}
"""EasyPost's published test tracking codes: a tracker made for one is in this state from the start."""


def scan_for(status: TrackerStatus) -> Scan | None:
    """The usual scan that reports this status, None for those that no scan reports."""
    return _BY_STATUS.get(status)


def next_scan(fate: Fate, position: int) -> Scan | None:
    plan = PLANS[fate]
    return plan[position] if position < len(plan) else None


def position_after(fate: Fate, position: int, status: TrackerStatus) -> int:
    """Where the plan goes on after a scan out of turn: never backwards, and nowhere if it leaves the plan."""
    plan = PLANS[fate]
    places = [index + 1 for index, scan in enumerate(plan) if scan.status is status]
    return max(position, places[0]) if places else len(plan)
