"""The outbox's relay: publishes what transactions left, at least once, and keeps what could not leave."""

from collections.abc import Awaitable, Callable

from commerce.contracts.context import RequestContext
from commerce.contracts.notifications import NotificationInput, NotificationKind
from commerce.domain.errors import ProviderError
from commerce.domain.messaging import OutboxKind, OutboxMessage
from commerce.domain.ports import CartStore, Database, EventPublisher, WorkflowGateway

LEASE_SECONDS = 30.0


class OutboxRelay:
    def __init__(
        self, database: Database, publisher: EventPublisher, workflows: WorkflowGateway, carts: CartStore
    ) -> None:
        self._database = database
        self._publisher = publisher
        self._workflows = workflows
        self._carts = carts
        self._handlers: dict[OutboxKind, Callable[[OutboxMessage], Awaitable[None]]] = {
            OutboxKind.DOMAIN_EVENT: publisher.publish,
            OutboxKind.NOTIFICATION: self._start_notification,
            OutboxKind.CLOSE_CART: self._close_cart,
        }

    async def run_once(self, limit: int = 50) -> int:
        """Takes a batch; says how many there were."""
        async with self._database.transaction(_CONTEXT) as tx:
            messages = await tx.outbox.take(limit, LEASE_SECONDS)
        done: list[str] = []
        for message in messages:
            try:
                await self._handlers[message.kind](message)
            except ProviderError as failure:
                await self._defer(message, failure)
            else:
                done.append(message.id)
        if done:
            async with self._database.transaction(_CONTEXT) as tx:
                await tx.outbox.mark_published(done)
        return len(messages)

    async def _defer(self, message: OutboxMessage, failure: ProviderError) -> None:
        seconds = failure.retry_after or float(min(2**message.attempts, 600))
        async with self._database.transaction(_CONTEXT) as tx:
            await tx.outbox.defer(message.id, seconds, f"{type(failure).__name__}: {failure.code}")

    async def _start_notification(self, message: OutboxMessage) -> None:
        await self._workflows.start_notification(
            NotificationInput(
                notification_id=message.key,
                order_id=str(message.payload["order_id"]),
                kind=NotificationKind(str(message.payload["kind"])),
                context=message.context,
            )
        )

    async def _close_cart(self, message: OutboxMessage) -> None:
        await self._carts.close(message.key, str(message.payload["order_id"]))


_CONTEXT = RequestContext("relay.outbox")
