"""Fails activities before or after their effect, as a crash or a lost answer would."""

from collections import Counter
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

BEFORE, AFTER = "before", "after"


class PlannedFaults(Interceptor):
    """`plan` counts how often an activity still fails at a moment; `struck` what has been struck."""

    def __init__(self) -> None:
        self.plan: Counter[tuple[str, str]] = Counter()
        self.struck: Counter[tuple[str, str]] = Counter()
        self.non_retryable = False

    def fail(self, name: str, when: str, times: int = 1, *, non_retryable: bool = False) -> None:
        self.plan[name, when] += times
        self.non_retryable = non_retryable

    def clear(self) -> None:
        self.plan.clear()
        self.struck.clear()
        self.non_retryable = False

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Faulty(next, self)

    def strike(self, name: str, when: str) -> None:
        if self.plan[name, when] > 0:
            self.plan[name, when] -= 1
            self.struck[name, when] += 1
            kind = "Permanent" if self.non_retryable else "Retryable"
            raise ApplicationError(f"planned fault {when} {name}", type=kind)


class _Faulty(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, faults: PlannedFaults) -> None:
        super().__init__(next)
        self._faults = faults

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        name = activity.info().activity_type
        self._faults.strike(name, BEFORE)
        result = await super().execute_activity(input)
        self._faults.strike(name, AFTER)
        return result
