"""The payment while it is the shopper's turn: authorised at once, or after 3-D Secure at the bank."""

from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.payments import PaymentActivities
    from activities.stock import StockActivities
    from commerce.contracts.checkout import CheckoutInput, ExternalEvent, PaymentAction
    from commerce.contracts.payments import PaymentFacts, PaymentRef, ReadPayment
    from commerce.contracts.queues import TaskQueue
    from commerce.contracts.statuses import PaymentStatus
    from commerce.contracts.stock import ExtendHold

from workflows.options import PROVIDER_KEY_LIFE, STEP_FAILURES, database_step, provider_step, words_of
from workflows.situation import Situation

LAST_LOOK = 30
"""Seconds before a hold runs out at which it is extended, or the payment is looked at a last time."""


class ShopperPayment:
    """Authorises, and reads the provider's news: each event of the inbox is read once."""

    def __init__(self, command: CheckoutInput, situation: Situation) -> None:
        self._command = command
        self._ref = PaymentRef(command.payment_id, command.order_id, command.context)
        self._situation = situation
        self._events: dict[str, ExternalEvent] = {}
        self._read_events: set[str] = set()
        self._listening = True

    async def authorise(self, ask_shopper: Callable[[PaymentAction | None], None]) -> PaymentFacts:
        """The payment's first lasting state; `ask_shopper` hears what the shopper has to do meanwhile."""
        summary = f"Authorise {self._command.total} at {self._command.provider}"
        self._situation.tell(summary, waiting_for=self._command.provider, then="The order is placed.")
        facts = await provider_step(
            PaymentActivities.authorise_payment,
            self._ref,
            summary,
            queue=TaskQueue.PAYMENTS,
            give_up_after=PROVIDER_KEY_LIFE,
        )
        if facts.status in _WITH_THE_SHOPPER:
            ask_shopper(facts.action)
            facts = await self._await_shopper(facts)
        return facts

    async def void(self) -> PaymentFacts:
        """Gives the authorisation back and closes the payment; CAPTURED says that it must be refunded."""
        return await provider_step(
            PaymentActivities.void_payment,
            self._ref,
            "Void the payment",
            queue=TaskQueue.PAYMENTS,
            give_up_after=timedelta(seconds=self._command.policy.attention_after_seconds),
        )

    async def hear(self, event: ExternalEvent) -> None:
        """Takes an event once; one that comes when nobody waits any more is read at once."""
        self._events.setdefault(event.event_id, event)
        if not self._listening:
            await self._read_leftovers()

    async def stop_listening(self) -> None:
        """The payment's first state is settled; what came in the meantime is still read."""
        self._listening = False
        await self._read_leftovers()

    async def _await_shopper(self, facts: PaymentFacts) -> PaymentFacts:
        """The order waits for the provider's word; its hold is extended once, then it ends."""
        policy = self._command.policy
        for seconds, last in ((policy.hold_seconds, False), (policy.hold_extension_seconds, True)):
            end = workflow.now() + timedelta(seconds=max(seconds - LAST_LOOK, seconds / 2))
            while facts.status in _WITH_THE_SHOPPER and await self._news_before(end):
                facts = await self._read()
            if facts.status not in _WITH_THE_SHOPPER:
                return facts
            if not last:
                await self._extend_hold()
        return await self._read()

    async def _news_before(self, end: datetime) -> bool:
        """True when the provider has news, False when the time is over."""
        self._situation.tell(
            "Waiting for the shopper to confirm the payment at the bank",
            waiting_for=f"{self._command.provider}'s webhook, until {end:%H:%M:%S} UTC",
            then="Placed once confirmed; else the hold is extended once, then stock and money go back.",
        )
        left = end - workflow.now()
        if left <= timedelta(0):
            return False
        try:
            await workflow.wait_condition(
                lambda: bool(self._unread()),
                timeout=left,
                timeout_summary=f"Hold runs out at {end:%H:%M:%S} UTC",
            )
        except TimeoutError:
            return False
        return True

    async def _extend_hold(self) -> None:
        await database_step(
            StockActivities.extend_hold,
            ExtendHold(self._ref.order_id, self._command.policy.hold_extension_seconds, self._ref.context),
            "Extend the hold once",
        )

    def _unread(self) -> list[str]:
        return [event_id for event_id in self._events if event_id not in self._read_events]

    async def _read_leftovers(self) -> None:
        """The inbox must know that each event was seen; a refusal to act on it changes nothing any more."""
        if not self._unread():
            return
        try:
            await self._read()
        except STEP_FAILURES as failure:
            if is_cancelled_exception(failure):
                raise
            workflow.logger.warning("late news of a payment: %s", words_of(failure))

    async def _read(self) -> PaymentFacts:
        event_ids = self._unread()
        self._read_events.update(event_ids)
        return await provider_step(
            PaymentActivities.read_payment,
            ReadPayment(self._ref.payment_id, self._ref.order_id, self._ref.context, event_ids),
            f"Read the payment at {self._command.provider}",
            queue=TaskQueue.PAYMENTS,
        )


_WITH_THE_SHOPPER = {PaymentStatus.REQUIRES_ACTION, PaymentStatus.PROCESSING}
