"""Holds activities before or after their effect until a test lets them go on."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from support.faults import AFTER, BEFORE


@dataclass
class Gate:
    """Closed until `open` is set; whoever arrives sets `reached`.

    `outside` has a local activity fail at once, so that its step arrives as an ordinary activity: while a
    local one runs, its workflow hears nothing.
    """

    name: str
    when: str
    outside: bool
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def arrival(self, seconds: float = 15.0) -> None:
        """Somebody stands before it."""
        await asyncio.wait_for(self.reached.wait(), seconds)


class Gates(Interceptor):
    def __init__(self) -> None:
        self._gates: list[Gate] = []
        self.done: Counter[tuple[str, str]] = Counter()
        """Steps that succeeded, by their name and the order or object in their message."""

    def close(self, name: str, when: str, *, outside: bool = False) -> Gate:
        gate = Gate(name, when, outside)
        self._gates.append(gate)
        return gate

    def clear(self) -> None:
        """Lets everybody go."""
        for gate in self._gates:
            gate.open.set()
        self._gates.clear()

    def count(self, message: object) -> None:
        about = getattr(message, "order_id", None) or getattr(message, "reservation_id", "")
        self.done[activity.info().activity_type, str(about)] += 1

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Gated(next, self)

    async def pass_by(self, when: str) -> None:
        info = activity.info()
        for gate in [gate for gate in self._gates if (gate.name, gate.when) == (info.activity_type, when)]:
            gate.reached.set()
            await gate.open.wait()

    def push_outside(self) -> None:
        info = activity.info()
        if info.is_local and any(gate.outside and gate.name == info.activity_type for gate in self._gates):
            raise ApplicationError("not in here", type="Outside", non_retryable=True)


class _Gated(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, gates: Gates) -> None:
        super().__init__(next)
        self._gates = gates

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        self._gates.push_outside()
        await self._gates.pass_by(BEFORE)
        result = await super().execute_activity(input)
        self._gates.count(input.args[0])
        await self._gates.pass_by(AFTER)
        return result
