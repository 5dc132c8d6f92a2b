"""Workflows as the gateway, the relays and the sweep see them.

Starting is always start-or-attach: the workflow's id is the business id. Order and reservation ids are
never used twice; a payment's id is used again by each of its runs, one at a time.
"""

from typing import Any

from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError

from commerce.contracts import ids, names, search
from commerce.contracts.checkout import (
    CancelAnswer,
    CancelOrder,
    CheckoutAnswer,
    CheckoutInput,
    CheckoutPolicy,
    ExternalEvent,
    OrderProgress,
    ResolveCompensation,
)
from commerce.contracts.context import RequestContext
from commerce.contracts.money import Money
from commerce.contracts.notifications import NotificationInput
from commerce.contracts.payments import PaymentInput, PaymentTask, RefundOutcome, RefundRequested
from commerce.contracts.queues import TaskQueue
from commerce.contracts.statuses import OrderStatus, PaymentState
from commerce.contracts.stock import ExtendReservation, ReservationAnswer, ReservationInput
from commerce.domain.errors import NotFound, ProviderUnavailable
from commerce.domain.orders import Order, Refund
from commerce.runtime.updates import Ask, ask_running, ask_with_start, reach


class TemporalWorkflows:
    def __init__(self, client: Client, policy: CheckoutPolicy | None = None) -> None:
        self._client = client
        self._policy = policy or CheckoutPolicy()

    async def ping(self) -> None:
        """Raises ProviderUnavailable."""
        if not await reach(self._client.service_client.check_health()):
            raise ProviderUnavailable("Temporal is not serving")

    async def checkout(
        self, order: Order, context: RequestContext, *, update_id: str, wait_seconds: float
    ) -> CheckoutAnswer | None:
        """Raises NotFound when the order's workflow has ended already."""
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            names.CHECKOUT_WORKFLOW,
            self._checkout_input(order, context),
            id=ids.order_workflow_id(order.id),
            task_queue=TaskQueue.CHECKOUT,
            search_attributes=_attributes(order),
            static_summary=f"Order {order.number} · {_total(order)}",
            static_details=_details(order),
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
        ask = Ask(names.CHECKOUT, (), update_id, wait_seconds, CheckoutAnswer, ("order", order.id))
        return await ask_with_start(self._client, start, ask)

    async def start_checkout(self, order: Order, context: RequestContext) -> bool:
        try:
            await reach(
                self._client.start_workflow(
                    names.CHECKOUT_WORKFLOW,
                    self._checkout_input(order, context),
                    id=ids.order_workflow_id(order.id),
                    task_queue=TaskQueue.CHECKOUT,
                    search_attributes=_attributes(order),
                    static_summary=f"Order {order.number} · {_total(order)}",
                    static_details=_details(order),
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                )
            )
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def cancel(
        self, order_id: str, cancel: CancelOrder, *, update_id: str, wait_seconds: float
    ) -> CancelAnswer | None:
        handle = self._client.get_workflow_handle(ids.order_workflow_id(order_id))
        subject = ("order", order_id)
        ask = Ask(names.CANCEL_ORDER, (cancel,), update_id, wait_seconds, CancelAnswer, subject)
        return await ask_running(handle, ask)

    async def refund(
        self,
        refund: Refund,
        order: Order,
        context: RequestContext,
        *,
        update_id: str,
        wait_seconds: float,
    ) -> RefundOutcome | None:
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            names.PAYMENT_WORKFLOW,
            _payment_input(order, PaymentTask.SERVE, context),
            id=ids.payment_workflow_id(refund.payment_id),
            task_queue=TaskQueue.PAYMENTS,
            static_summary=f"Refund for order {order.number}",
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )
        request = RefundRequested(refund.id, context)
        subject = ("refund", refund.id)
        ask = Ask(names.REFUND, (request,), update_id, wait_seconds, RefundOutcome, subject)
        return await ask_with_start(self._client, start, ask)

    async def start_refund(self, refund: Refund, order: Order, context: RequestContext) -> None:
        """By an update id of its own: a used one would only give the first try's outcome again."""
        update_id = ids.new_id("refund")
        await self.refund(refund, order, context, update_id=update_id, wait_seconds=5.0)

    async def start_undo(self, order: Order, context: RequestContext) -> None:
        try:
            await reach(
                self._client.start_workflow(
                    names.PAYMENT_WORKFLOW,
                    _payment_input(order, PaymentTask.UNDO, context),
                    id=ids.payment_workflow_id(order.payment_id),
                    task_queue=TaskQueue.PAYMENTS,
                    static_summary=f"Give back what order {order.number} holds",
                )
            )
        except WorkflowAlreadyStartedError as busy:
            raise ProviderUnavailable(f"payment {order.payment_id} is being worked on") from busy

    async def reserve(
        self, reservation: ReservationInput, *, update_id: str, wait_seconds: float
    ) -> ReservationAnswer | None:
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            names.STOCK_RESERVATION_WORKFLOW,
            reservation,
            id=ids.reservation_workflow_id(reservation.reservation_id),
            task_queue=TaskQueue.CHECKOUT,
            static_summary=f"Hold of a cart for {reservation.minutes} minutes",
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
        subject = ("reservation", reservation.reservation_id)
        ask = Ask(names.RESERVE, (), update_id, wait_seconds, ReservationAnswer, subject)
        return await ask_with_start(self._client, start, ask)

    async def extend_reservation(
        self, reservation_id: str, extend: ExtendReservation, update_id: str
    ) -> ReservationAnswer:
        return await self._reservation(reservation_id, names.EXTEND_RESERVATION, extend, update_id)

    async def release_reservation(self, reservation_id: str, context: RequestContext) -> ReservationAnswer:
        update_id = f"release:{reservation_id}"
        return await self._reservation(reservation_id, names.RELEASE_RESERVATION, context, update_id)

    async def resolve_compensation(self, order_id: str, resolve: ResolveCompensation, update_id: str) -> None:
        """Raises NotFound when no workflow runs, Conflict when the step is not parked."""
        handle = self._client.get_workflow_handle(ids.order_workflow_id(order_id))
        subject = ("order", order_id)
        ask = Ask(names.RESOLVE_COMPENSATION, (resolve,), update_id, 10.0, type(None), subject)
        await ask_running(handle, ask)

    async def tell(self, workflow_id: str, event_id: str, kind: str) -> bool:
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            await reach(handle.signal(names.EXTERNAL_EVENT, ExternalEvent(event_id, kind)))
        except NotFound:
            return False
        return True

    async def tell_progress(self, order_id: str, progress: OrderProgress) -> None:
        handle = self._client.get_workflow_handle(ids.order_workflow_id(order_id))
        try:
            await reach(handle.signal(names.ORDER_PROGRESSED, progress))
        except NotFound:
            return

    async def start_notification(self, notification: NotificationInput) -> None:
        try:
            await reach(
                self._client.start_workflow(
                    names.NOTIFICATION_WORKFLOW,
                    notification,
                    id=ids.notification_workflow_id(notification.notification_id),
                    task_queue=TaskQueue.NOTIFICATIONS,
                    static_summary=f"Mail: {notification.kind.value.replace('_', ' ')}",
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                )
            )
        except WorkflowAlreadyStartedError:
            return

    def _checkout_input(self, order: Order, context: RequestContext) -> CheckoutInput:
        return CheckoutInput(
            order_id=order.id,
            payment_id=order.payment_id,
            number=order.number,
            total=_total(order),
            provider=order.provider,
            context=context,
            policy=self._policy,
        )

    async def _reservation(
        self, reservation_id: str, update: str, arg: object, update_id: str
    ) -> ReservationAnswer:
        handle = self._client.get_workflow_handle(ids.reservation_workflow_id(reservation_id))
        subject = ("reservation", reservation_id)
        answer = await ask_running(handle, Ask(update, (arg,), update_id, 10.0, ReservationAnswer, subject))
        if answer is None:
            raise ProviderUnavailable("the reservation's workflow does not answer")
        return answer


def _total(order: Order) -> Money:
    return Money(order.totals.total, order.totals.currency)


def _payment_input(order: Order, task: PaymentTask, context: RequestContext) -> PaymentInput:
    return PaymentInput(
        payment_id=order.payment_id,
        order_id=order.id,
        number=order.number,
        amount=_total(order),
        provider=order.provider,
        task=task,
        context=context,
    )


def _attributes(order: Order) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(
                SearchAttributeKey.for_keyword(search.ORDER_STATUS), OrderStatus.PENDING.value
            ),
            SearchAttributePair(
                SearchAttributeKey.for_keyword(search.PAYMENT_STATUS), PaymentState.NONE.value
            ),
            SearchAttributePair(
                SearchAttributeKey.for_keyword(search.CUSTOMER_ID), order.customer_id or "guest"
            ),
            SearchAttributePair(SearchAttributeKey.for_keyword(search.PROVIDER), order.provider),
            SearchAttributePair(SearchAttributeKey.for_keyword(search.CURRENCY), order.totals.currency),
            SearchAttributePair(SearchAttributeKey.for_int(search.ORDER_TOTAL), order.totals.total),
            SearchAttributePair(SearchAttributeKey.for_bool(search.NEEDS_ATTENTION), False),
        ]
    )


def _details(order: Order) -> str:
    return "\n".join(
        [
            f"### Order {order.number}",
            "",
            f"- id `{order.id}`, payment `{order.payment_id}` at {order.provider}",
            f"- total **{_total(order)}**, shipping {order.shipping_method}",
            f"- customer `{order.customer_id or 'guest'}`, livemode {str(order.livemode).lower()}",
        ]
    )
