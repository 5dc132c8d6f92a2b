"""Messages about stock: holds before payment and the reservation workflow."""

from dataclasses import dataclass, field

from commerce.contracts.checkout import Shortage
from commerce.contracts.context import RequestContext
from commerce.contracts.statuses import ReservationStatus


@dataclass(frozen=True)
class ReserveStock:
    """Holds the order's lines for `hold_seconds`, all or nothing; takes over the cart's own reservation."""

    order_id: str
    hold_seconds: int
    context: RequestContext


@dataclass(frozen=True)
class StockHeld:
    """`expires_at` is RFC 3339; with shortages nothing is held."""

    held: bool
    expires_at: str | None = None
    shortages: list[Shortage] = field(default_factory=list)


@dataclass(frozen=True)
class ExtendHold:
    order_id: str
    extension_seconds: int
    context: RequestContext


@dataclass(frozen=True)
class ReservationInput:
    """A cart's hold before checkout; its lines and end are in PostgreSQL."""

    reservation_id: str
    cart_id: str
    minutes: int
    context: RequestContext


@dataclass(frozen=True)
class ReservationRef:
    reservation_id: str
    context: RequestContext


@dataclass(frozen=True)
class HoldReservation:
    reservation_id: str
    seconds: int
    context: RequestContext


@dataclass(frozen=True)
class ExtendReservation:
    """Once per reservation, by at most the time that was first asked for."""

    minutes: int
    context: RequestContext


@dataclass(frozen=True)
class ExtendReservationHold:
    reservation_id: str
    seconds: int
    context: RequestContext


@dataclass(frozen=True)
class ReservationAnswer:
    reservation_id: str
    status: ReservationStatus
    expires_at: str | None = None
    seconds_left: float = 0.0
    shortages: list[Shortage] = field(default_factory=list)
    refusal: str | None = None
