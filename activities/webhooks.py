"""The inbox's relay: brings each stored fact to the workflow that waits for it, or to the database.

It runs beside the workers of the maintenance queue. A fact is leased, acted on and then marked, never acted
on inside a transaction; a relay that dies in between leaves it to the next one after the lease.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from activities.tracking import apply_tracking
from commerce.contracts.context import RequestContext
from commerce.contracts.ids import order_workflow_id, payment_workflow_id, shipment_workflow_id
from commerce.contracts.statuses import OrderState, PaymentStatus, RefundStatus, ShipmentStatus
from commerce.domain.errors import CommerceError, NotFound, ProviderUnavailable
from commerce.domain.messaging import InboxEvent
from commerce.domain.orders import Order, Payment
from commerce.domain.ports import Carrier, Database, UnitOfWork, WorkflowGateway
from commerce.domain.states import SHIPMENT_RANK

LEASE_SECONDS = 30.0
UNSETTLED_GRACE = 5
"""So many looks, a second apart, at a payment whose first answer we may be recording just now."""

UNKNOWN_PATIENCE = 80
"""So many looks, growing to an hour apart, at news of something unknown: three days, as providers retry.

After them the row stays told and unseen, which breaks an invariant and so comes before a person.
"""


@dataclass(frozen=True)
class Verdict:
    """What became of a fact: told or taken over (`seen`), or to be looked at again in `retry` seconds."""

    outcome: str
    seen: bool = False
    retry: float | None = None


class InboxRelay:
    def __init__(
        self, database: Database, workflows: WorkflowGateway, carriers: Mapping[str, Carrier]
    ) -> None:
        self._database = database
        self._workflows = workflows
        self._carriers = carriers

    async def run_once(self, limit: int = 50) -> int:
        """Takes a batch; says how many there were."""
        async with self._database.transaction(_CONTEXT) as tx:
            events = await tx.inbox.take(limit, LEASE_SECONDS)
        verdicts = [(event, await self._verdict(event)) for event in events]
        if verdicts:
            async with self._database.transaction(_CONTEXT) as tx:
                for event, verdict in verdicts:
                    if verdict.retry is not None:
                        await tx.inbox.defer(event.event_id, verdict.retry, verdict.outcome)
                    else:
                        await tx.inbox.mark_told(event.event_id, verdict.outcome, seen=verdict.seen)
        return len(events)

    async def _verdict(self, event: InboxEvent) -> Verdict:
        try:
            return await self._deliver(event)
        except ProviderUnavailable as outage:
            return Verdict(f"unavailable: {outage}", retry=2.0)
        except CommerceError as refused:
            gave_up = event.attempts > UNKNOWN_PATIENCE
            return Verdict(str(refused), retry=None if gave_up else _backoff(event))

    async def _deliver(self, event: InboxEvent) -> Verdict:
        if event.provider in self._carriers:
            return await self._carrier_news(event)
        if event.kind not in _PAYMENT_KINDS and not event.kind.startswith("asked."):
            return Verdict("of no concern", seen=True)
        return await self._payment_news(event)

    async def _carrier_news(self, event: InboxEvent) -> Verdict:
        facts = self._carriers[event.provider].facts(event)
        if not facts:
            return Verdict("of no concern", seen=True)
        async with self._database.reading() as tx:
            shipment = await self._shipment_of(tx, event, [fact.tracking_code for fact in facts])
        rank = SHIPMENT_RANK[shipment.status]
        news = {fact.status for fact in facts if fact.status and SHIPMENT_RANK[fact.status] > rank}
        if (
            news & _WORTH_WAKING
            and shipment.status not in _OVER
            and await self._workflows.tell(shipment_workflow_id(shipment.id), event.event_id, event.kind)
        ):
            return Verdict("told the shipment's workflow")
        async with self._database.transaction(_CONTEXT) as tx:
            await apply_tracking(tx, shipment.order_id, shipment.id, facts, _CONTEXT)
        return Verdict("taken over by the database", seen=True)

    async def _shipment_of(self, tx: UnitOfWork, event: InboxEvent, codes: Sequence[str]) -> "_Parcel":
        if event.shipment_id is not None:
            shipment = await tx.shipments.get(event.shipment_id)
            return _Parcel(shipment.id, shipment.order_id, shipment.status)
        for code in codes:
            found = await tx.shipments.find_by_tracking(code)
            if found is not None:
                return _Parcel(found.id, found.order_id, found.status)
        raise NotFound("shipment", ", ".join(codes) or event.event_id)

    async def _payment_news(self, event: InboxEvent) -> Verdict:
        """A refund that the bank returns is named to its workflow: what that still follows is another one."""
        async with self._database.reading() as tx:
            payment = await self._payment_of(tx, event)
            order = await tx.orders.get(payment.order_id)
            refund = await tx.payments.refund(event.refund_id) if event.refund_id else None
        if event.kind in _REFUND_KINDS:
            if refund is None or refund.status in _news_is_old(event.kind):
                return Verdict("known already", seen=True)
            returned = refund.status is RefundStatus.SUCCEEDED
            if not returned and await self._workflows.tell(
                payment_workflow_id(payment.id), event.event_id, event.kind
            ):
                return Verdict("told the payment's workflow")
            await self._workflows.start_refund(refund, order, _CONTEXT)
            return Verdict("started the refund's workflow", seen=True)
        if event.kind in _DISPUTE_KINDS:
            return await self._disputed(event, order)
        return await self._authorisation_news(event, order, payment)

    async def _authorisation_news(self, event: InboxEvent, order: Order, payment: Payment) -> Verdict:
        if order.order_state is OrderState.CANCELLED:
            if event.kind in _HOLDS_MONEY:
                await self._workflows.start_undo(order, _CONTEXT)
                return Verdict("the order is closed: giving the money back", seen=True)
            return Verdict("the order is closed", seen=True)
        if payment.status in {PaymentStatus.REQUIRES_ACTION, PaymentStatus.PROCESSING}:
            if await self._workflows.tell(order_workflow_id(order.id), event.event_id, event.kind):
                return Verdict("told the order's workflow")
            return Verdict("the order's workflow is not there yet", retry=_backoff(event))
        if payment.status is PaymentStatus.REQUESTED:
            return await self._early(event, order)
        return Verdict("known already", seen=True)

    async def _early(self, event: InboxEvent, order: Order) -> Verdict:
        """The provider's news may overtake its own answer: give that a moment before waking anyone."""
        if event.attempts < UNSETTLED_GRACE:
            return Verdict("waiting for the provider's own answer", retry=1.0)
        if await self._workflows.tell(order_workflow_id(order.id), event.event_id, event.kind):
            return Verdict("told the order's workflow")
        return Verdict("the order's workflow is not there yet", retry=_backoff(event))

    async def _payment_of(self, tx: UnitOfWork, event: InboxEvent) -> Payment:
        if event.payment_id is not None:
            return await tx.payments.get(event.payment_id)
        found = await tx.payments.find(event.provider, event.provider_ref or "")
        if found is None:
            raise NotFound("payment", event.provider_ref or event.event_id)
        return found

    async def _disputed(self, event: InboxEvent, order: Order) -> Verdict:
        async with self._database.transaction(_CONTEXT) as tx:
            await tx.orders.set_attention(order.id, f"the shopper disputes the payment ({event.kind})")
            await tx.timeline.add(order.id, "disputed", "The shopper disputes the payment at the bank.")
        return Verdict("put before support", seen=True)


@dataclass(frozen=True)
class _Parcel:
    id: str
    order_id: str
    status: ShipmentStatus


def _backoff(event: InboxEvent) -> float:
    """Seconds until the next look at something unknown: growing from one second to an hour."""
    return float(min(2**event.attempts, 3600))


def _news_is_old(kind: str) -> set[RefundStatus]:
    """The states that a refund's news no longer changes: even a finished one may come back."""
    if kind == "refund.failed":
        return {RefundStatus.FAILED}
    return {RefundStatus.SUCCEEDED, RefundStatus.FAILED}


_CONTEXT = RequestContext("relay.inbox")
_WORTH_WAKING = {
    ShipmentStatus.HANDED_OVER,
    ShipmentStatus.DELIVERED,
    ShipmentStatus.LOST,
    ShipmentStatus.RETURNING,
}
_OVER = {ShipmentStatus.DELIVERED, ShipmentStatus.CANCELLED, ShipmentStatus.RETURNING}
_HOLDS_MONEY = {"payment_intent.amount_capturable_updated", "payment_intent.succeeded"}
_REFUND_KINDS = {"refund.created", "refund.updated", "refund.failed"}
_DISPUTE_KINDS = {"charge.dispute.created"}
_PAYMENT_KINDS = (
    _HOLDS_MONEY
    | _REFUND_KINDS
    | _DISPUTE_KINDS
    | {
        "payment_intent.payment_failed",
        "payment_intent.processing",
        "payment_intent.canceled",
    }
)
