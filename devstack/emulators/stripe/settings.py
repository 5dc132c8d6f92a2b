"""What a test or the stack may set, at the start or while it runs, and the clock that they may move."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from devstack.emulators.common.jsonvalue import JSON, BadInput


@dataclass
class Settings:
    latency_seconds: float = 0.0
    """Added to each API call."""
    capture_window_seconds: float = 7 * 86_400.0
    """From authorisation to `capture_before`."""
    refund_delay_seconds: float = 0.3
    """A refund stays pending for so long; 0: it succeeds in the answer."""
    refund_failures: float = 0.0
    """So many of the next refunds fail when their outcome arrives."""
    dispute_delay_seconds: float = 0.2
    """From the capture to the dispute of a card that disputes."""
    search_lag_seconds: float = 0.0
    """An object is found by search only when it is older; at Stripe that takes up to a minute."""
    idempotency_ttl_seconds: float = 86_400.0
    webhook_retry_scale: float = 0.05
    """Factor for the three days over which a webhook is retried."""

    def update(self, body: Mapping[str, JSON]) -> None:
        """All or nothing. Raises BadInput."""
        known = {item.name for item in fields(self)}
        numbers: dict[str, float] = {}
        for name, value in body.items():
            if name not in known:
                raise BadInput(f"{name!r} is none of: {', '.join(sorted(known))}")
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise BadInput(f"{name} must be a number, 0 or more")
            numbers[name] = float(value)
        for name, number in numbers.items():
            setattr(self, name, number)

    def to_json(self) -> dict[str, JSON]:
        return dict(asdict(self))


class Clock:
    """Real time plus an offset that only grows; webhook signatures use real time."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def now(self) -> float:
        return time.time() + self.offset
