"""Moves the parcels by themselves: each waits one pause, or a multiple of it, between two scans."""

import asyncio
import heapq
from collections.abc import Callable

from devstack.emulators.carrier.documents import NOT_HANDED_OVER, RefundStatus, Tracker, TrackerStatus
from devstack.emulators.carrier.world import World


class Mover:
    """`step_seconds` None stands still. `handover_seconds`, if given, is the pause before the first scan
    by the carrier instead: how long a labelled parcel stays in the warehouse.
    """

    def __init__(
        self,
        world: World,
        clock: Callable[[], float],
        step_seconds: float | None,
        handover_seconds: float | None = None,
    ) -> None:
        self._world = world
        self._clock = clock
        self._step_seconds = step_seconds
        self._handover_seconds = handover_seconds
        self._due: list[tuple[float, str]] = []
        self._since: dict[str, float] = {}
        self._woken = asyncio.Event()

    @property
    def speed(self) -> tuple[float | None, float | None]:
        return self._step_seconds, self._handover_seconds

    def set_speed(self, step_seconds: float | None, handover_seconds: float | None) -> None:
        """Parcels under way keep the time that they have waited."""
        self._step_seconds, self._handover_seconds = step_seconds, handover_seconds
        self._due = []
        for tracker_id in list(self._since):
            self._plan(self._world.state.trackers[tracker_id])
        self._woken.set()

    def watch(self, tracker: Tracker) -> None:
        """Start or restart a parcel's pause, after its purchase and after every scan."""
        self._since[tracker.id] = self._clock()
        self._plan(tracker)
        self._woken.set()

    async def run(self) -> None:
        for tracker in list(self._world.state.trackers.values()):
            self.watch(tracker)
        while True:
            self._woken.clear()
            timeout = max(0.0, self._due[0][0] - self._clock()) if self._due else None
            try:
                await asyncio.wait_for(self._woken.wait(), timeout)
            except TimeoutError:
                self._step_due()

    def _step_due(self) -> None:
        now = self._clock()
        while self._due and self._due[0][0] <= now:
            due, tracker_id = heapq.heappop(self._due)
            tracker = self._world.state.trackers[tracker_id]
            if self._due_at(tracker) == due:
                self.watch(self._world.step(tracker))

    def _plan(self, tracker: Tracker) -> None:
        due = self._due_at(tracker)
        if due is not None:
            heapq.heappush(self._due, (due, tracker.id))
        elif not self._may_move(tracker):
            self._since.pop(tracker.id, None)

    def _due_at(self, tracker: Tracker) -> float | None:
        since, pause = self._since.get(tracker.id), self._pause(tracker)
        return None if since is None or pause is None else since + pause

    def _pause(self, tracker: Tracker) -> float | None:
        if self._step_seconds is None:
            return None
        if self._refunding(tracker):
            return self._step_seconds
        scan = self._world.pending_scan(tracker)
        if scan is None:
            return None
        handed_over = tracker.status in NOT_HANDED_OVER and scan.status is not TrackerStatus.PRE_TRANSIT
        if handed_over and self._handover_seconds is not None:
            return self._handover_seconds
        return self._step_seconds * scan.steps

    def _may_move(self, tracker: Tracker) -> bool:
        return self._refunding(tracker) or self._world.pending_scan(tracker) is not None

    def _refunding(self, tracker: Tracker) -> bool:
        shipment = self._world.state.shipment_of(tracker)
        return shipment is not None and shipment.refund_status is RefundStatus.SUBMITTED
