"""Runs calls and due tasks against the state, keeps what they did, and sends the events."""

import asyncio
import heapq
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from devstack.emulators.common.webhooks import Delivery, WebhookSender
from devstack.emulators.stripe import payments, refunds
from devstack.emulators.stripe.errors import ApiError
from devstack.emulators.stripe.model import (
    Charge,
    IntentStatus,
    PaymentIntent,
    Refund,
    RememberedAnswer,
    StoredEvent,
)
from devstack.emulators.stripe.params import Params
from devstack.emulators.stripe.render import Body, event
from devstack.emulators.stripe.store import T
from devstack.emulators.stripe.work import Answer, Call, Work, World


@dataclass(order=True)
class _Due:
    at: float
    id: str
    act: Callable[[str], None] = field(compare=False)


class Engine:
    """Everything here is synchronous on one event loop, so each call is atomic."""

    def __init__(self, world: World, sender: WebhookSender) -> None:
        self.world = world
        self.sender = sender
        self._due: list[_Due] = []
        self._woken = asyncio.Event()

    def resume(self) -> None:
        """After a start: events that were not delivered, outcomes that are due."""
        for stored in self.world.store.unsettled_events():
            self._send(stored)
        for charge in self.world.store.all(Charge):
            self._plan_charge(charge)
        for refund in self.world.store.all(Refund):
            self._plan_refund(refund)

    def refusal(self, error: ApiError) -> Answer:
        body = error.body()
        if error.payment_intent is not None:
            body["payment_intent"] = self.resolve(error.payment_intent)
        return Answer(error.status, {"error": body})

    def commit(self, work: Work, answer: RememberedAnswer | None = None) -> None:
        self.world.store.commit(work.changes, answer)
        for stored in work.changes.events:
            self._send(stored)
        for changed in work.changes.objects.values():
            if isinstance(changed, Charge):
                self._plan_charge(changed)
            elif isinstance(changed, Refund):
                self._plan_refund(changed)

    def resolve(self, object_id: str) -> Body | None:
        found = self.world.store.find(object_id)
        return None if found is None else self.world.renderer.render(found)

    def resend(self, event_id: str) -> bool:
        """By hand and without modes; false for an unknown event."""
        stored = self.world.store.event(event_id)
        if stored is not None:
            self._send(stored, plain=True)
        return stored is not None

    def settled(self, delivery: Delivery) -> None:
        self.world.store.settle_event(delivery.event_id)

    def move_clock(self, seconds: float) -> None:
        """Forward, and all that falls due on the way happens."""
        self.world.clock.offset += seconds
        self.world.store.keep_clock_offset(self.world.clock.offset)
        self._run_due()
        self._woken.set()

    async def work_through_due(self) -> None:
        while True:
            self._woken.clear()
            self._run_due()
            wait = self._due[0].at - self.world.clock.now() if self._due else math.inf
            try:
                await asyncio.wait_for(self._woken.wait(), min(wait, 86_400.0))
            except TimeoutError:
                continue

    def _run_due(self) -> None:
        while self._due and self._due[0].at <= self.world.clock.now():
            due = heapq.heappop(self._due)
            due.act(due.id)

    def _send(self, stored: StoredEvent, *, plain: bool = False) -> None:
        payload = json.dumps(event(stored)).encode()
        self.sender.send(stored.id, stored.type, payload, plain=plain)

    def _plan_charge(self, charge: Charge) -> None:
        open_hold = charge.status == "succeeded" and not charge.captured and not charge.released
        if open_hold and charge.capture_deadline is not None:
            self._plan(charge.capture_deadline, charge.id, self._expire)
        if charge.dispute_due is not None:
            self._plan(charge.dispute_due, charge.id, self._dispute)

    def _plan_refund(self, refund: Refund) -> None:
        if refund.due is not None:
            self._plan(refund.due, refund.id, self._refund_outcome)

    def _plan(self, at: float, object_id: str, act: Callable[[str], None]) -> None:
        heapq.heappush(self._due, _Due(at, object_id, act))
        self._woken.set()

    def _expire(self, charge_id: str) -> None:
        charge = self._get(Charge, charge_id)
        intent = self._get(PaymentIntent, charge.payment_intent)
        if intent.status == IntentStatus.REQUIRES_CAPTURE and intent.latest_charge == charge_id:
            work = self._own_work()
            payments.release(work, intent, "automatic", expired=True)
            self.commit(work)

    def _dispute(self, charge_id: str) -> None:
        charge = self._get(Charge, charge_id)
        if charge.dispute_due is not None:
            work = self._own_work()
            payments.open_dispute(work, charge, self._get(PaymentIntent, charge.payment_intent))
            self.commit(work)

    def _refund_outcome(self, refund_id: str) -> None:
        refund = self._get(Refund, refund_id)
        if refund.due is not None:
            charge = self._get(Charge, refund.charge)
            work = self._own_work()
            refunds.outcome(work, refund, charge, self._get(PaymentIntent, refund.payment_intent))
            self.commit(work)

    def _own_work(self) -> Work:
        return Work(self.world, Call(Params({})))

    def _get(self, kind: type[T], object_id: str) -> T:
        found = self.world.store.get(kind, object_id)
        if found is None:
            raise LookupError(object_id)
        return found
