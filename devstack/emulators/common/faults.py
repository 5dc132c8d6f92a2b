"""Faults that a test plants, each for some calls of one operation."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from devstack.emulators.common.jsonvalue import JSON, BadInput, as_object, integer, number, text


class FaultMode(StrEnum):
    ERROR_BEFORE = "error_before"
    """500, nothing done."""
    ERROR_AFTER = "error_after"
    """500, though the effect took place."""
    RATE_LIMIT = "rate_limit"
    """429 with Retry-After = `seconds`, nothing done."""
    TIMEOUT_BEFORE = "timeout_before"
    """The connection is held for `seconds` and cut; nothing done."""
    TIMEOUT_AFTER = "timeout_after"
    """The effect takes place at once; the connection is held for `seconds` and cut."""
    LATE = "late"
    """The call is held for `seconds` and then carried out, whether or not the client still waits."""
    RESET = "reset"
    """The effect takes place; the connection is cut in the middle of the answer."""
    WRONG_AMOUNT = "wrong_amount"
    """The effect takes place with one minor unit less than asked for, in the answer and everywhere else."""


@dataclass
class Fault:
    """`operation` is a name such as `payment_intents.capture`, or `*`; `times` is what is left of it."""

    id: int
    operation: str
    mode: FaultMode
    times: int = 1
    seconds: float = 1.0
    match: Mapping[str, JSON] = field(default_factory=dict)

    def to_json(self) -> dict[str, JSON]:
        return {
            "id": self.id,
            "operation": self.operation,
            "mode": self.mode.value,
            "times": self.times,
            "seconds": self.seconds,
            "match": self.match,
        }


class FaultTable:
    """Kept in memory only: a restart of the emulator forgets its faults."""

    def __init__(
        self, operations: frozenset[str], modes: frozenset[FaultMode] = frozenset(FaultMode)
    ) -> None:
        self._operations = operations
        self._modes = modes
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, body: Mapping[str, JSON]) -> Fault:
        """Raises BadInput for an operation or a mode that does not exist here: it would never strike."""
        operation = text(body, "operation")
        if operation != "*" and operation not in self._operations:
            raise BadInput(f"operation {operation!r} is none of: *, {', '.join(sorted(self._operations))}")
        name = text(body, "mode")
        if name not in self._modes:
            raise BadInput(f"mode must be one of: {', '.join(sorted(self._modes))}")
        mode = FaultMode(name)
        times = integer(body, "times", 1)
        if times < 1:
            raise BadInput("times must be 1 or more")
        seconds = number(body, "seconds", 1.0)
        fault = Fault(next(self._ids), operation, mode, times, seconds, as_object(body.get("match", {})))
        self._faults.append(fault)
        return fault

    def take(self, operation: str, subject: Mapping[str, JSON]) -> Fault | None:
        """The first fault that fits this call, counted down; `subject` is what `match` must be part of."""
        for fault in self._faults:
            if fault.operation in {"*", operation} and _contains(subject, fault.match):
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
                return fault
        return None

    def left(self) -> list[Fault]:
        return list(self._faults)

    def clear(self) -> None:
        self._faults.clear()


def _contains(subject: JSON, pattern: JSON) -> bool:
    if isinstance(pattern, Mapping):
        return isinstance(subject, Mapping) and all(
            key in subject and _contains(subject[key], value) for key, value in pattern.items()
        )
    return subject == pattern
