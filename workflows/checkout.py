"""An order, from the posted checkout to the end of its returns window."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from activities.stock import StockActivities
    from commerce.contracts import names
    from commerce.contracts.checkout import (
        CancelAnswer,
        CancelCommand,
        CancelOrder,
        CheckoutAnswer,
        CheckoutInput,
        CheckoutStatus,
        CompleteOrder,
        ExternalEvent,
        FlagAttention,
        OrderProgress,
        OrderRef,
        OrderSituation,
        ParkedCompensation,
        PaymentAction,
        PlacedOrder,
        PlaceOrder,
        RecordResolution,
        RejectOrder,
        RejectReason,
        ResolveCompensation,
        Shortage,
    )
    from commerce.contracts.errors import ErrorType
    from commerce.contracts.payments import PaymentFacts, PaymentTask
    from commerce.contracts.statuses import OrderStatus, PaymentState, PaymentStatus
    from commerce.contracts.stock import ReserveStock

from workflows.attributes import show_attention, show_progress
from workflows.children import Children
from workflows.compensation import Compensations, shielded
from workflows.options import (
    STEP_FAILURES,
    database_step,
    declared,
    words_of,
)
from workflows.shopper_payment import ShopperPayment
from workflows.situation import Situation


@workflow.defn(name=names.CHECKOUT_WORKFLOW)
class CheckoutWorkflow:
    """Price → reserve → authorise → place → capture → ship → returns window; cancellable until hand-over."""

    @workflow.init
    def __init__(self, command: CheckoutInput) -> None:
        self._command = command
        self._ref = OrderRef(command.order_id, command.context)
        self._answer: CheckoutAnswer | None = None
        self._progress = OrderProgress(1, OrderStatus.PENDING, PaymentState.NONE)
        self._undo = Compensations(self._on_parked)
        self._children = Children(command)
        self._situation = Situation(f"Order {command.number} · {command.total}")
        self._shopper = ShopperPayment(command, self._situation)
        self._deciding = asyncio.Lock()
        self._cancelled: CancelOrder | None = None
        self._undone = False

    @workflow.run
    async def run(self, command: CheckoutInput) -> OrderProgress:
        story = asyncio.ensure_future(self._story())
        while not story.done() and self._cancelled is None:
            try:
                await workflow.wait_condition(lambda: story.done() or self._cancelled is not None)
            except asyncio.CancelledError:
                await shielded(self._decide(CancelOrder(command.context.as_system(), "workflow cancelled")))
        if self._cancelled is None:
            await shielded(self._conclude(story))
        if self._cancelled is not None:
            await shielded(self._cancel_story(story))
        await shielded(workflow.wait_condition(workflow.all_handlers_finished))
        return self._progress

    async def _conclude(self, story: "asyncio.Future[bool]") -> None:
        """The story is over: as it should be, or because the order was closed without our hearing of it.

        The database may have accepted a cancellation whose update was then lost with its workflow task.
        """
        if await story:
            self._undone = self._progress.status is OrderStatus.CANCELLED
        else:
            await self._decide(CancelOrder(self._ref.context.as_system(), "its parcels are cancelled"))

    async def _story(self) -> bool:
        """False when a placed order did not reach its shopper's door."""
        placed = await self._place()
        await self._shopper.stop_listening()
        if placed is None:
            await shielded(self._undo.run())
            return True
        self._undo.clear()
        self._undo.add("give the money back", self._return_money)
        self._situation.tell(f"Taking {self._command.total}", then="A label is bought and the parcel packed.")
        self._advance(await self._children.settle(PaymentTask.CAPTURE))
        if self._cancelled is not None or self._progress.status is OrderStatus.CANCELLED:
            return False
        self._situation.tell("Packing", waiting_for="the carrier", then="The shopper hears of each step.")
        self._advance(await self._children.ship(placed.shipment_ids))
        if self._progress.status not in {OrderStatus.DELIVERED, OrderStatus.REFUNDED}:
            return False
        await self._returns_window()
        return True

    async def _place(self) -> PlacedOrder | None:
        """The way to a placed order; None when it was refused, with the order closed and answered."""
        try:
            promise = await database_step(OrderActivities.verify_promise, self._ref, "Check the prices")
            if not promise.ok:
                await self._reject(RejectReason.PRICE_CHANGED, CheckoutStatus.PRICE_CHANGED)
                return None
            if not await self._reserve():
                return None
            self._undo.add("void the payment", self._void_payment)
            facts = await self._shopper.authorise(self._ask_shopper)
            if facts.status not in {PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED}:
                await self._refuse_payment(facts)
                return None
            placed = await database_step(
                OrderActivities.place_order,
                PlaceOrder(self._ref.order_id, self._command.payment_id, self._ref.context),
                "Place the order",
            )
        except STEP_FAILURES as failure:
            if is_cancelled_exception(failure) or self._cancelled is not None:
                raise
            workflow.logger.warning("checkout failed: %s", words_of(failure))
            closed = declared(failure) is ErrorType.FENCED
            status = CheckoutStatus.CANCELLED if closed else CheckoutStatus.DECLINED
            await self._reject(RejectReason.FAILED, status, decline_code="processing_error")
            return None
        if not placed.placed:
            await self._reject(
                RejectReason.OUT_OF_STOCK, CheckoutStatus.OUT_OF_STOCK, shortages=placed.shortages
            )
            return None
        self._advance(placed.progress)
        self._answer = CheckoutAnswer(self._ref.order_id, CheckoutStatus.PLACED)
        return placed

    async def _reserve(self) -> bool:
        self._situation.tell("Setting the goods aside", then="The payment is authorised.")
        self._undo.add("release the stock", self._release_stock)
        held = await database_step(
            StockActivities.reserve_stock,
            ReserveStock(self._ref.order_id, self._command.policy.hold_seconds, self._ref.context),
            "Reserve the stock",
        )
        if not held.held:
            await self._reject(
                RejectReason.OUT_OF_STOCK, CheckoutStatus.OUT_OF_STOCK, shortages=held.shortages
            )
        return held.held

    async def _refuse_payment(self, facts: PaymentFacts) -> None:
        if facts.status is PaymentStatus.DECLINED:
            await self._reject(
                RejectReason.DECLINED, CheckoutStatus.DECLINED, decline_code=facts.decline_code
            )
        else:
            await self._reject(
                RejectReason.PAYMENT_EXPIRED, CheckoutStatus.DECLINED, decline_code="authentication_expired"
            )

    async def _reject(
        self,
        reason: RejectReason,
        status: CheckoutStatus,
        *,
        decline_code: str | None = None,
        shortages: list[Shortage] | None = None,
    ) -> None:
        """Closes the order first, so that no late step acts and the cart is free; then answers."""
        progress = await database_step(
            OrderActivities.reject_order,
            RejectOrder(self._ref.order_id, reason, self._ref.context, decline_code),
            f"Close the order: {reason.value}",
        )
        self._situation.tell(f"Not placed: {reason.value}", then="What was held goes back.")
        self._advance(progress)
        self._answer = CheckoutAnswer(
            self._ref.order_id, status, decline_code=decline_code, shortages=shortages or []
        )

    async def _returns_window(self) -> None:
        window = timedelta(seconds=self._command.policy.returns_window_seconds)
        end = workflow.now() + window
        self._situation.tell("Delivered", then=f"Returns are possible until {end:%d %b %Y}.")
        await workflow.sleep(window, summary=f"Returns are possible until {end:%d %b %Y}")
        progress = await database_step(
            OrderActivities.complete_order,
            CompleteOrder(self._ref.order_id, self._ref.context),
            "Complete the order",
        )
        self._advance(progress)

    async def _cancel_story(self, story: "asyncio.Future[bool]") -> None:
        """The order is closed in the database: stop what goes forward, then give everything back."""
        if self._answer is None:
            self._answer = CheckoutAnswer(self._ref.order_id, CheckoutStatus.CANCELLED)
        self._situation.tell("Cancelled", then="Goods and money go back.")
        story.cancel()
        await asyncio.gather(story, return_exceptions=True)
        await self._children.stop()
        await self._undo.run()
        self._situation.tell("Cancelled; goods and money are back")
        self._undone = True

    async def _decide(self, request: CancelOrder) -> str | None:
        """Asks the database, whose word is final; None when accepted, else why not."""
        async with self._deciding:
            if self._cancelled is not None:
                return None
            decision = await database_step(
                OrderActivities.cancel_order, CancelCommand(self._ref.order_id, request), "Cancel the order"
            )
            self._advance(decision.progress)
            if decision.accepted:
                self._cancelled = request
            return decision.refusal

    async def _release_stock(self) -> None:
        await database_step(StockActivities.release_stock, self._ref, "Release the stock")

    def _ask_shopper(self, action: PaymentAction | None) -> None:
        self._answer = CheckoutAnswer(self._ref.order_id, CheckoutStatus.REQUIRES_ACTION, action)

    async def _void_payment(self) -> None:
        facts = await self._shopper.void()
        if facts.status is PaymentStatus.CAPTURED:
            await self._return_money()

    async def _return_money(self) -> None:
        self._advance(await self._children.settle(PaymentTask.UNDO))

    async def _on_parked(self, parked: list[ParkedCompensation]) -> None:
        show_attention(bool(parked))
        self._situation.show_parked(parked)
        reason = "; ".join(f"{item.step}: {item.error}" for item in parked) or None
        await database_step(
            OrderActivities.flag_attention,
            FlagAttention(self._ref.order_id, reason, self._ref.context),
            "Tell support" if parked else "Nothing is parked any more",
        )

    def _advance(self, progress: OrderProgress | None) -> None:
        """Takes news of the order over; older versions change nothing."""
        if progress is None or progress.version <= self._progress.version:
            return
        before, self._progress = self._progress, progress
        if (before.status, before.payment) != (progress.status, progress.payment):
            show_progress(progress)

    @workflow.update(name=names.CHECKOUT)
    async def checkout(self) -> CheckoutAnswer:
        """The first answer to the shopper: placed, refused, or what to do at the provider."""
        await workflow.wait_condition(lambda: self._answer is not None)
        if self._answer is None:
            raise RuntimeError("woken without an answer")
        return self._answer

    @workflow.update(name=names.CANCEL_ORDER)
    async def cancel_order(self, request: CancelOrder) -> CancelAnswer:
        """Says no once a parcel has been handed over; else waits until money and goods are back or parked."""
        refusal = await self._decide(request)
        if refusal is not None:
            return CancelAnswer(False, self._progress.status, refusal=refusal)
        await workflow.wait_condition(lambda: self._undone or bool(self._undo.parked))
        return CancelAnswer(True, self._progress.status, money_returned=self._undone)

    @workflow.update(name=names.RESOLVE_COMPENSATION)
    async def resolve_compensation(self, decision: ResolveCompensation) -> None:
        """Support's word on a parked step: try again now, done by hand (with a reference), or written off."""
        await database_step(
            OrderActivities.record_resolution,
            RecordResolution(self._ref.order_id, decision),
            f"Support decided: {decision.resolution.value} {decision.step}",
        )
        self._undo.resolve(decision.step, decision.resolution)

    @resolve_compensation.validator
    def _check_resolution(self, decision: ResolveCompensation) -> None:
        if decision.step not in {item.step for item in self._undo.parked}:
            raise ValueError(f"nothing named {decision.step!r} is parked")

    @workflow.signal(name=names.EXTERNAL_EVENT)
    async def external_event(self, event: ExternalEvent) -> None:
        """A fact from the provider waits in the inbox; its event id is taken once."""
        await self._shopper.hear(event)

    @workflow.signal(name=names.ORDER_PROGRESSED)
    def order_progressed(self, progress: OrderProgress) -> None:
        self._advance(progress)

    @workflow.query(name=names.STATUS)
    def status(self) -> OrderSituation:
        return self._situation.answer(self._progress.status, self._undo.parked)
