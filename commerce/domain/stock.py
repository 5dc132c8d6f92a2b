"""Stock levels, movements and holds. Quantities are pieces."""

from dataclasses import dataclass, field
from datetime import datetime

from commerce.contracts.checkout import Shortage
from commerce.contracts.statuses import ReservationStatus


@dataclass(frozen=True)
class WarehouseLevel:
    warehouse: str
    on_hand: int
    allocated: int


@dataclass(frozen=True)
class StockLevel:
    """`held` counts live holds only; `available = on_hand - allocated - held`."""

    sku: str
    on_hand: int
    allocated: int
    held: int
    available: int
    per_warehouse: list[WarehouseLevel] = field(default_factory=list)


@dataclass(frozen=True)
class Movement:
    """One row of the ledger; the levels are the sums of `on_hand_delta` and `allocated_delta`."""

    id: str
    sku: str
    warehouse: str
    kind: str
    on_hand_delta: int
    allocated_delta: int
    reason: str
    order_id: str | None
    at: datetime


@dataclass(frozen=True)
class HoldLine:
    line_no: int
    sku: str
    quantity: int


@dataclass(frozen=True)
class HoldResult:
    """With shortages nothing was held or allocated."""

    reservation_id: str
    expires_at: datetime | None
    shortages: list[Shortage] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return not self.shortages


@dataclass(frozen=True)
class Reservation:
    id: str
    cart_id: str | None
    order_id: str | None
    status: ReservationStatus
    expires_at: datetime
    extended: bool
    minutes: int
    lines: list[HoldLine] = field(default_factory=list)
