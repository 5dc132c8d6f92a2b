"""Steps at the payment provider: the intent is stored before the call, the outcome after it.

A repeat after any outcome is safe: the adapters derive the provider's keys from our ids and look up
what they are not sure of; the database takes facts over by rank.
"""

from collections.abc import Mapping

from temporalio import activity

from activities.money import (
    captured_state,
    post_authorised,
    post_captured,
    post_refund_failed,
    post_refunded,
    post_voided,
    refunded_state,
)
from activities.progress import Detail, notify, progress_of
from commerce.contracts.context import RequestContext
from commerce.contracts.ids import REFUND, derived_id
from commerce.contracts.money import Money
from commerce.contracts.notifications import NotificationKind
from commerce.contracts.payments import (
    PaymentFacts,
    PaymentRef,
    PaymentSettled,
    ReadPayment,
    RefundOutcome,
    RefundPayment,
    UndoPlan,
)
from commerce.contracts.statuses import OrderState, PaymentState, PaymentStatus, RefundStatus
from commerce.domain.errors import Fenced, ProviderRefused
from commerce.domain.orders import NewRefund, Order, Payment, Refund
from commerce.domain.ports import Database, PaymentProvider, UnitOfWork, WorkflowGateway
from commerce.domain.providers import AuthorisationRequest, ProviderPayment, ProviderRefund, RefundRequest
from commerce.domain.refunds import remaining_amount, remaining_pieces


class PaymentActivities:
    def __init__(
        self,
        database: Database,
        providers: Mapping[str, PaymentProvider],
        workflows: WorkflowGateway,
        return_url: str,
    ) -> None:
        self._database = database
        self._providers = providers
        self._workflows = workflows
        self._return_url = return_url

    @activity.defn(name="authorise_payment")
    async def authorise_payment(self, ref: PaymentRef) -> PaymentFacts:
        """Authorises the order's total without capturing; a decline is a result.

        Raises Fenced once the order is closed; an authorisation that came too late is given back at once.
        """
        order, payment = await self._read(ref)
        if payment.status in _SETTLED:
            return _facts(payment)
        if order.order_state is not OrderState.PENDING or payment.status is PaymentStatus.VOIDED:
            raise Fenced(f"order {order.id} is {order.order_state}, payment {payment.status}")
        outcome = await self._providers[payment.provider].authorise(
            AuthorisationRequest(
                order_id=order.id,
                payment_id=payment.id,
                number=order.number,
                amount=Money(payment.amount, payment.currency),
                token=payment.token,
                return_url=self._return_url.format(order_id=order.id),
            )
        )
        return await self._record(ref, outcome)

    @activity.defn(name="read_payment")
    async def read_payment(self, query: ReadPayment) -> PaymentFacts:
        """Asks the provider where the payment stands and takes it over, by rank."""
        ref = PaymentRef(query.payment_id, query.order_id, query.context)
        _, payment = await self._read(ref)
        outcome = await self._providers[payment.provider].read(payment.id, payment.provider_ref)
        if outcome is None:
            await self._mark_seen(query)
            return _facts(payment)
        return await self._record(ref, outcome, query.event_ids)

    @activity.defn(name="void_payment")
    async def void_payment(self, ref: PaymentRef) -> PaymentFacts:
        """Gives an authorisation back and closes the payment to late ones; fine where there is nothing.

        CAPTURED says that money was taken before the void came: it must be refunded instead.
        """
        order, payment = await self._read(ref)
        if payment.captured:
            return _facts(payment)
        if order.order_state is OrderState.PENDING:
            await self._close(ref)
        outcome = await self._providers[payment.provider].void(payment.id, payment.provider_ref)
        if outcome is not None and outcome.status is PaymentStatus.CAPTURED:
            return await self._record(ref, outcome)
        return _facts(await self._close(ref))

    @activity.defn(name="capture_payment")
    async def capture_payment(self, ref: PaymentRef) -> PaymentSettled:
        """Takes the whole authorised amount, once; takes nothing from an order that is closed."""
        order, payment = await self._read(ref)
        wanted = order.order_state is OrderState.CONFIRMED and payment.captured < payment.amount
        if wanted and payment.provider_ref is not None:
            amount = Money(payment.amount, payment.currency)
            outcome = await self._providers[payment.provider].capture(
                payment.id, payment.provider_ref, amount
            )
            await self._record(ref, outcome)
            order, payment = await self._read(ref)
            if payment.captured < payment.amount:
                raise ProviderRefused(f"{amount} asked, {payment.captured} captured", code="partial_capture")
        return PaymentSettled(payment.captured, payment.refunded, progress_of(order))

    @activity.defn(name="plan_undo")
    async def plan_undo(self, ref: PaymentRef) -> UndoPlan:
        """Stores the refund of all that was captured and is not on its way back; None: nothing captured."""
        async with self._database.transaction(ref.context.as_system()) as tx:
            payment = await tx.payments.get(ref.payment_id, lock=True)
            view = await tx.orders.view(ref.order_id)
            stored = {refund.id: refund for refund in view.refunds}
            sequence = 1
            undo_id = derived_id(REFUND, payment.id, sequence)
            while undo_id in stored and stored[undo_id].status is RefundStatus.FAILED:
                sequence += 1
                undo_id = derived_id(REFUND, payment.id, sequence)
            left = remaining_amount(payment.captured, view.refunds)
            if undo_id not in stored:
                if left <= 0:
                    return UndoPlan(None, settled=payment.captured > 0)
                await tx.payments.create_refund(
                    NewRefund(
                        undo_id,
                        ref.order_id,
                        payment.id,
                        left,
                        "order cancelled",
                        remaining_pieces(view.lines, view.refunds),
                    )
                )
        return UndoPlan(undo_id)

    @activity.defn(name="settlement")
    async def settlement(self, query: ReadPayment) -> PaymentSettled:
        """Sums of the payment so far; the inbox rows that it is asked about have been seen."""
        await self._mark_seen(query)
        order, payment = await self._read(PaymentRef(query.payment_id, query.order_id, query.context))
        return PaymentSettled(payment.captured, payment.refunded, progress_of(order))

    @activity.defn(name="refund_payment")
    async def refund_payment(self, command: RefundPayment) -> RefundOutcome:
        """Carries out a stored refund, or reads how it went; gives the money back once.

        A refund that went through may still be returned by the bank: then it is read as FAILED.
        """
        async with self._database.reading() as tx:
            refund = await tx.payments.refund(command.refund_id)
            payment = await tx.payments.get(command.payment_id)
            order = await tx.orders.get(command.order_id)
        if refund.status is RefundStatus.FAILED or payment.provider_ref is None:
            return _refund_outcome(refund, order)
        request = RefundRequest(
            refund.id, payment.id, order.id, payment.provider_ref, Money(refund.amount, refund.currency)
        )
        provider = self._providers[payment.provider]
        outcome = await provider.read_refund(request, refund.provider_ref) if refund.provider_ref else None
        if outcome is None:
            outcome = await _refund_or_refusal(provider, request)
        async with self._database.transaction(command.context.as_system()) as tx:
            order = await tx.orders.get(order.id, lock=True)
            before = await tx.payments.refund(refund.id, lock=True)
            refund = await tx.payments.record_refund(
                refund.id, outcome.status, outcome.provider_ref or None, outcome.failure_code
            )
            if command.event_ids:
                await tx.inbox.mark_seen(command.event_ids)
            if refund.status is not before.status:
                order = await self._book_refund(tx, order, before, refund, command.context)
        if order.order_state is not OrderState.CANCELLED:
            await self._workflows.tell_progress(order.id, progress_of(order))
        return _refund_outcome(refund, order)

    async def _book_refund(
        self, tx: UnitOfWork, order: Order, before: Refund, refund: Refund, context: RequestContext
    ) -> Order:
        payment = await tx.payments.get(refund.payment_id)
        amount = Money(refund.amount, refund.currency)
        data: Detail = {"refund_id": refund.id, "amount": refund.amount, "currency": refund.currency}
        if refund.status is RefundStatus.FAILED:
            await tx.orders.set_attention(order.id, f"the refund of {amount} failed")
            await tx.timeline.add(order.id, "refund_failed", f"The refund of {amount} failed.", data)
            if before.status is not RefundStatus.SUCCEEDED:
                return order
            await post_refund_failed(tx, payment, refund)
            return await tx.orders.move(order.id, payment=refunded_state(payment))
        if refund.status is not RefundStatus.SUCCEEDED:
            await tx.timeline.add(order.id, "refund_pending", f"{amount} is on its way back.", data)
            return order
        await post_refunded(tx, payment, refund)
        moved = await tx.orders.move(order.id, payment=refunded_state(payment))
        await tx.timeline.add(order.id, "refunded", f"{amount} was given back.", data)
        await tx.audit.add("refund.succeed", "refund", refund.id, after={"amount": refund.amount})
        await notify(tx, order.id, NotificationKind.ORDER_REFUNDED, context, dedupe=refund.id)
        return moved

    async def _mark_seen(self, query: ReadPayment) -> None:
        if query.event_ids:
            async with self._database.transaction(query.context.as_system()) as tx:
                await tx.inbox.mark_seen(query.event_ids)

    async def _read(self, ref: PaymentRef) -> tuple[Order, Payment]:
        async with self._database.reading() as tx:
            return await tx.orders.get(ref.order_id), await tx.payments.get(ref.payment_id)

    async def _record(
        self, ref: PaymentRef, outcome: ProviderPayment, event_ids: list[str] | None = None
    ) -> PaymentFacts:
        async with self._database.transaction(ref.context.as_system()) as tx:
            order = await tx.orders.get(ref.order_id, lock=True)
            before = await tx.payments.get(ref.payment_id, lock=True)
            payment = await tx.payments.record(ref.payment_id, outcome)
            if event_ids:
                await tx.inbox.mark_seen(event_ids)
            await _book_payment(tx, order, before, payment)
        too_late = order.order_state is OrderState.CANCELLED or payment.status is PaymentStatus.VOIDED
        if too_late and outcome.status in {PaymentStatus.AUTHORISED, PaymentStatus.REQUIRES_ACTION}:
            await self._providers[payment.provider].void(payment.id, outcome.provider_ref)
            await self._close(ref)
            raise Fenced(f"order {order.id} was closed while its payment was being authorised")
        return _facts(payment)

    async def _close(self, ref: PaymentRef) -> Payment:
        async with self._database.transaction(ref.context.as_system()) as tx:
            order = await tx.orders.get(ref.order_id, lock=True)
            before = await tx.payments.get(ref.payment_id, lock=True)
            payment = await tx.payments.mark_voided(ref.payment_id)
            if before.authorised and before.status is not PaymentStatus.VOIDED:
                await post_voided(tx, before)
                if order.payment_state is PaymentState.AUTHORISED:
                    await tx.orders.move(order.id, payment=PaymentState.NONE)
                await tx.timeline.add(order.id, "payment_voided", "The authorisation was given back.")
        return payment


async def _book_payment(tx: UnitOfWork, order: Order, before: Payment, after: Payment) -> None:
    """Ledger, order axis and timeline of what is new about a payment, where it is taken over."""
    amount = Money(after.amount, after.currency)
    data: Detail = {"payment_id": after.id, "amount": after.amount, "currency": after.currency}
    if after.authorised > before.authorised:
        await post_authorised(tx, after)
    if after.captured > before.captured:
        await post_captured(tx, order, before, after)
        await tx.orders.move(order.id, payment=captured_state(after))
        await tx.audit.add("payment.capture", "payment", after.id, after={"captured": after.captured})
        await tx.timeline.add(order.id, "captured", f"{amount} was taken.", data)
    elif after.status is not before.status and after.status in _TOLD:
        kind, text = _TOLD[after.status]
        await tx.timeline.add(
            order.id, kind, text.format(amount=amount), {**data, "decline_code": after.decline_code}
        )


async def _refund_or_refusal(provider: PaymentProvider, request: RefundRequest) -> ProviderRefund:
    """A refund that the provider will not make is a failed one; wrong credentials are our fault."""
    try:
        return await provider.refund(request)
    except ProviderRefused as refused:
        if refused.code in _NOT_ABOUT_THE_REFUND:
            raise
        return ProviderRefund("", RefundStatus.FAILED, request.amount, request.refund_id, refused.code)


def _facts(payment: Payment) -> PaymentFacts:
    deadline = payment.capture_before.isoformat() if payment.capture_before else None
    return PaymentFacts(payment.status, payment.action, payment.decline_code, deadline)


def _refund_outcome(refund: Refund, order: Order) -> RefundOutcome:
    return RefundOutcome(refund.id, refund.status, progress_of(order), refund.failure_code)


_NOT_ABOUT_THE_REFUND = {"http_401", "http_403", "idempotency_error"}

_SETTLED = {PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED, PaymentStatus.DECLINED}

_TOLD = {
    PaymentStatus.AUTHORISED: ("authorised", "{amount} is authorised."),
    PaymentStatus.REQUIRES_ACTION: ("requires_action", "The bank asks the shopper to confirm {amount}."),
    PaymentStatus.PROCESSING: ("payment_processing", "The provider is processing {amount}."),
    PaymentStatus.DECLINED: ("declined", "The payment of {amount} was declined."),
}
