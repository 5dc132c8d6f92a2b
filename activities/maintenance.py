"""The sweep: starts what a crash left behind, asks where news is overdue, closes what ran out."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from temporalio import activity

from commerce.contracts.context import RequestContext
from commerce.contracts.ids import REQUEST, new_id
from commerce.contracts.maintenance import SweepInput, SweepReport
from commerce.domain.errors import CommerceError
from commerce.domain.messaging import InboxEvent, received
from commerce.domain.orders import Order, Payment, Shipment
from commerce.domain.ports import Carrier, Database, PaymentProvider, WorkflowGateway

T = TypeVar("T")


class MaintenanceActivities:
    def __init__(
        self,
        database: Database,
        workflows: WorkflowGateway,
        providers: Mapping[str, PaymentProvider],
        carrier: Carrier,
    ) -> None:
        self._database = database
        self._workflows = workflows
        self._providers = providers
        self._carrier = carrier

    @activity.defn(name="sweep")
    async def sweep(self, command: SweepInput) -> SweepReport:
        """Every part may be repeated or cut short: the next sweep finds what this one left.

        What cannot be mended now is logged and passed by, so that it stands in nothing's way.
        """
        context = RequestContext(new_id(REQUEST))
        return SweepReport(
            orders_started=await self._start_orders(command),
            refunds_started=await self._start_refunds(command, context),
            holds_expired=await self._expire_holds(command, context),
            payments_asked=await self._ask_providers(command, context),
            parcels_asked=await self._ask_carrier(command, context),
            undos_started=await self._start_undos(command, context),
        )

    async def _start_orders(self, command: SweepInput) -> int:
        """Intents whose request died before it could start their workflow."""
        async with self._database.reading() as tx:
            waiting = await tx.orders.not_started(command.older_than_seconds, command.limit)
            contexts = {order.id: await tx.orders.context_of(order.id) for order in waiting}

        async def start(order: Order) -> None:
            await self._workflows.start_checkout(order, contexts[order.id])
            async with self._database.transaction(contexts[order.id].as_system()) as tx:
                await tx.orders.mark_started(order.id)

        return await _each(waiting, start)

    async def _start_refunds(self, command: SweepInput, context: RequestContext) -> int:
        async with self._database.reading() as tx:
            refunds = await tx.payments.open_refunds(command.older_than_seconds, command.limit)
            orders = {refund.order_id: await tx.orders.get(refund.order_id) for refund in refunds}
        return await _each(
            refunds,
            lambda refund: self._workflows.start_refund(refund, orders[refund.order_id], context),
        )

    async def _expire_holds(self, command: SweepInput, context: RequestContext) -> int:
        async with self._database.transaction(context) as tx:
            return await tx.stock.expire_due(command.limit)

    async def _ask_providers(self, command: SweepInput, context: RequestContext) -> int:
        """A webhook may be lost: what the provider says takes the webhook's place in the inbox."""
        async with self._database.reading() as tx:
            silent = await tx.payments.silent(command.silent_seconds, command.limit)

        async def ask(payment: Payment) -> None:
            facts = await self._providers[payment.provider].read(payment.id, payment.provider_ref)
            if facts is not None and facts.status is not payment.status:
                await self._store(context, [_asked_payment(payment, facts.status.value)])

        return await _each(silent, ask)

    async def _ask_carrier(self, command: SweepInput, context: RequestContext) -> int:
        async with self._database.reading() as tx:
            silent = await tx.shipments.silent(command.silent_seconds, command.limit)

        async def ask(shipment: Shipment) -> None:
            event = await self._carrier.track(shipment.id)
            if event is not None:
                await self._store(context, [received(event)])

        return await _each(silent, ask)

    async def _start_undos(self, command: SweepInput, context: RequestContext) -> int:
        """Closed orders whose workflow was ended, or never heard of it, before their money was back."""
        async with self._database.reading() as tx:
            found = await tx.orders.cancelled_with_money(command.silent_seconds, command.limit)
        return await _each(found, lambda order: self._workflows.start_undo(order, context))

    async def _store(self, context: RequestContext, events: Sequence[InboxEvent]) -> None:
        async with self._database.transaction(context) as tx:
            for event in events:
                await tx.inbox.store(event)


async def _each(found: Iterable[T], mend: Callable[[T], Awaitable[None]]) -> int:
    """How many were mended."""
    mended = 0
    for thing in found:
        try:
            await mend(thing)
        except CommerceError as failure:
            activity.logger.warning("the sweep passes something by: %s", failure)
        else:
            mended += 1
    return mended


def _asked_payment(payment: Payment, status: str) -> InboxEvent:
    return InboxEvent(
        provider=payment.provider,
        event_id=f"asked:{payment.id}:{status}",
        kind=f"asked.{status}",
        received_at=None,
        order_id=payment.order_id,
        payment_id=payment.id,
        provider_ref=payment.provider_ref,
    )
