"""Messages of the sweep that tidies up after crashes and lost news."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SweepInput:
    """`older_than_seconds`: an intent younger than this is still its own request's business."""

    older_than_seconds: float = 10.0
    silent_seconds: float = 3600.0
    """Ask a provider or carrier after this long without news from it; give a closed order's money back."""
    limit: int = 200


@dataclass(frozen=True)
class SweepReport:
    orders_started: int = 0
    refunds_started: int = 0
    holds_expired: int = 0
    payments_asked: int = 0
    parcels_asked: int = 0
    undos_started: int = 0
