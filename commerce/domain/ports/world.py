"""Everything outside this process but PostgreSQL: carts, providers, messages, Temporal, live news."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from commerce.contracts.checkout import OrderProgress
from commerce.contracts.context import RequestContext
from commerce.contracts.money import Money
from commerce.contracts.notifications import NotificationInput
from commerce.domain.carts import Cart, CartItem
from commerce.domain.messaging import (
    InboxEvent,
    OutboxMessage,
)
from commerce.domain.orders import (
    Order,
    Refund,
)
from commerce.domain.providers import (
    AuthorisationRequest,
    BoughtLabel,
    ParcelRequest,
    ProviderEvent,
    ProviderPayment,
    ProviderRefund,
    RefundRequest,
    TrackingFact,
)


class CartStore(Protocol):
    """Carts with optimistic versions; they expire after 30 days without use and are then not served."""

    async def create(self, cart: Cart) -> Cart: ...

    async def get(self, cart_id: str) -> Cart:
        """Strongly consistent. Raises NotFound."""

    async def current_of(self, customer_id: str) -> Cart | None:
        """The person's newest cart that is not yet ordered."""

    async def put_item(self, cart: Cart, item: CartItem) -> Cart:
        """Sets the quantity of a SKU. Raises StaleVersion when someone wrote since `cart` was read."""

    async def remove_item(self, cart: Cart, sku: str) -> Cart:
        """Raises StaleVersion."""

    async def close(self, cart_id: str, order_id: str) -> None:
        """Marks the cart as ordered; a repeat or a vanished cart is fine."""


class PaymentProvider(Protocol):
    """One payment provider. Errors are ProviderError's three kinds; a decline is a result.

    Every call may be repeated with the same arguments after any outcome: keys are derived from our ids.
    """

    name: str

    async def authorise(self, request: AuthorisationRequest) -> ProviderPayment: ...

    async def read(self, payment_id: str, provider_ref: str | None) -> ProviderPayment | None:
        """By its reference, else by our id in the metadata; None when the provider knows nothing of it."""

    async def capture(self, payment_id: str, provider_ref: str, amount: Money) -> ProviderPayment:
        """Captures `amount`; what was captured before counts, so a repeat charges nothing more."""

    async def void(self, payment_id: str, provider_ref: str | None) -> ProviderPayment | None:
        """Gives an uncaptured authorisation back; None when there is nothing at the provider.

        A payment that turns out captured comes back as CAPTURED, untouched.
        """

    async def refund(self, request: RefundRequest) -> ProviderRefund: ...

    async def read_refund(self, request: RefundRequest, refund_ref: str | None) -> ProviderRefund | None: ...

    def parse_webhook(self, payload: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        """Verifies the signature over the raw bytes. Raises ProviderRefused for a forgery or stale stamp."""


class Carrier(Protocol):
    """Labels and tracking. Errors are ProviderError's three kinds."""

    name: str

    async def buy_label(self, request: ParcelRequest) -> BoughtLabel:
        """Buys once per shipment id: a repeat after any outcome returns the label that was bought."""

    async def void_label(self, shipment_id: str) -> bool:
        """False when there was nothing to void; raises ProviderRefused once the parcel is on its way."""

    async def track(self, shipment_id: str) -> ProviderEvent | None:
        """Asks for a parcel's news: an event as if its webhook had just come, None where there is none.

        Its event id follows from the newest fact, so that asking twice is one event.
        """

    def parse_webhook(self, payload: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        """Verifies the signature over the raw bytes. Raises ProviderRefused."""

    def facts(self, event: InboxEvent) -> Sequence[TrackingFact]:
        """The news inside a stored event's `data`, oldest first; the same fact has the same id in each."""


class Mailer(Protocol):
    async def send(self, *, to: str, subject: str, text: str, html: str, reference: str) -> str:
        """Hands a mail over and returns the service's message id; at least once."""


class EventPublisher(Protocol):
    async def publish(self, message: OutboxMessage) -> None:
        """To the topic of the message, with its id and key as attributes; at least once."""


class WorkflowGateway(Protocol):
    """What code outside workflows may ask of Temporal. Raises ProviderUnavailable when it is down."""

    async def tell(self, workflow_id: str, event_id: str, kind: str) -> bool:
        """Signals `external_event`; False when no such workflow is running."""

    async def tell_progress(self, order_id: str, progress: OrderProgress) -> None:
        """Signals `order_progressed`; a closed workflow needs no news."""

    async def start_checkout(self, order: Order, context: RequestContext) -> bool:
        """Starts the order's workflow without waiting for an answer; False when it runs or ran already."""

    async def start_refund(self, refund: Refund, order: Order, context: RequestContext) -> None:
        """Has the payment's workflow carry a stored refund out; a repeat attaches."""

    async def start_undo(self, order: Order, context: RequestContext) -> None:
        """Has the payment's workflow give back whatever a closed order holds; a repeat attaches."""

    async def start_notification(self, notification: NotificationInput) -> None:
        """A repeat is fine, also after the workflow has closed."""


class LiveUpdates(Protocol):
    """Best-effort news for open sockets and streams; losing one loses no data."""

    async def publish(self, channel: str, message: str) -> None: ...

    def listen(self, channel: str) -> AbstractAsyncContextManager[AsyncIterator[str]]: ...
