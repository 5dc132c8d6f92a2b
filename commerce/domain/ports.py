"""Ports to everything outside this process. Adapters live in `persistence` and `providers`.

Reads and writes of PostgreSQL go through a `UnitOfWork`: its repositories share one transaction, which
commits when the block ends and rolls back on any exception. Serialisation failures, deadlocks and lock
time-outs surface as `ProviderUnavailable` and are retried as a whole by the caller's retry layer.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from commerce.contracts.checkout import OrderProgress
from commerce.contracts.context import RequestContext
from commerce.contracts.notifications import NotificationInput
from commerce.contracts.statuses import (
    FulfilmentState,
    OrderState,
    PaymentState,
    RefundStatus,
)
from commerce.domain.carts import Cart, CartItem
from commerce.domain.catalogue import PricedSku, Product, ProductQuery, ShippingRate
from commerce.domain.messaging import (
    AuditEntry,
    IdempotencyClaim,
    InboxEvent,
    InvariantResult,
    LedgerTransaction,
    NewNotification,
    Notification,
    OutboxMessage,
    StoredResponse,
)
from commerce.domain.orders import (
    NewOrder,
    NewRefund,
    Order,
    OrderLine,
    OrderView,
    Payment,
    Refund,
    Shipment,
    ShipmentLine,
    TimelineEntry,
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
from commerce.domain.stock import HoldLine, HoldResult, Movement, Reservation, StockLevel


class CatalogueRepository(Protocol):
    async def get(self, product_id: str) -> Product:
        """By id or slug; archived ones too. Raises NotFound."""

    async def list(self, query: ProductQuery) -> tuple[Sequence[Product], str | None]:
        """A page of products that are not archived and the cursor of the next one."""

    async def create(self, product: Product) -> Product:
        """Raises Conflict when the slug or a SKU exists."""

    async def replace(self, product: Product, expected_version: int) -> Product:
        """Raises NotFound, StaleVersion, Conflict."""

    async def archive(self, product_id: str, expected_version: int | None) -> None:
        """Takes it off sale; rows stay for the orders that name it. Raises NotFound, StaleVersion."""

    async def priced(self, skus: Sequence[str], currency: str) -> Mapping[str, PricedSku]:
        """Those of the SKUs that are for sale in this currency, by one query."""

    async def currencies(self) -> frozenset[str]:
        """Currencies in which anything is for sale."""

    async def shipping_rate(self, method: str, country: str, currency: str) -> ShippingRate | None:
        """The country's own rate, else the one for everywhere (`*`), else None."""

    async def tax_rates(self, country: str) -> Mapping[str, int]:
        """Basis points by tax class; `*` serves countries without their own."""


class StockRepository(Protocol):
    """Every change is a movement row or a hold row; stock rows are locked in SKU order, last."""

    async def level(self, sku: str) -> StockLevel:
        """Raises NotFound."""

    async def levels(self, skus: Sequence[str]) -> Mapping[str, StockLevel]: ...

    async def hold(
        self,
        reservation_id: str,
        lines: Sequence[HoldLine],
        seconds: int,
        *,
        cart_id: str,
        order_id: str | None,
    ) -> HoldResult:
        """All lines or none, for `seconds` from now by the database's clock. Repeating it changes nothing.

        Raises Fenced when the reservation was released before.
        """

    async def take_over(self, reservation_id: str, order_id: str, seconds: int) -> Reservation | None:
        """Makes a cart's live hold the order's, for at least `seconds` more; None when it is gone."""

    async def extend(self, reservation_id: str, seconds: int) -> Reservation:
        """Once, from now. Raises ReservationClosed when it is over or was extended before."""

    async def release(self, reservation_id: str, *, expired: bool = False) -> bool:
        """Gives held stock back and closes the id for good, also when nothing was held (then False).

        Leaves consumed reservations alone.
        """

    async def allocate(self, reservation_id: str, order_id: str, lines: Sequence[HoldLine]) -> HoldResult:
        """Turns the hold into an allocation per warehouse; a run-out hold is tried again at once.

        Repeating it for the same order changes nothing.
        """

    async def allocations(self, order_id: str) -> Sequence[ShipmentLine]: ...

    async def deallocate(self, order_id: str) -> bool:
        """Gives an order's undeducted allocation back once; False when there was none."""

    async def deduct(self, order_id: str, shipment_id: str, lines: Sequence[ShipmentLine]) -> bool:
        """The goods left the house: on hand and allocated both fall, once per shipment."""

    async def move(self, sku: str, warehouse: str, delta: int, reason: str, key: str) -> Movement:
        """A correction or receipt. Raises NotFound, and Conflict when stock would go below zero."""

    async def movements(
        self, sku: str, cursor: str | None, limit: int
    ) -> tuple[Sequence[Movement], str | None]: ...

    async def reservation(self, reservation_id: str) -> Reservation:
        """Raises NotFound."""

    async def plan_reservation(
        self, reservation_id: str, cart_id: str, lines: Sequence[HoldLine], minutes: int
    ) -> None:
        """Stores the wish for a hold before its workflow starts; holds nothing yet.

        Raises Conflict when the cart has a live one.
        """

    async def expire_due(self, limit: int) -> int:
        """Closes holds whose time is over (they count no more since then) and says how many."""


class OrderRepository(Protocol):
    async def create(self, order: NewOrder) -> Order:
        """The Pending order, its lines and its requested payment. Raises CartAlreadyOrdered."""

    async def get(self, order_id: str, *, lock: bool = False) -> Order:
        """Raises NotFound. `lock` keeps the row for this transaction."""

    async def lines(self, order_id: str) -> Sequence[OrderLine]: ...

    async def view(self, order_id: str) -> OrderView:
        """Raises NotFound."""

    async def list_views(
        self, *, customer_id: str | None, status: str | None, cursor: str | None, limit: int
    ) -> tuple[Sequence[OrderView], str | None]:
        """Newest first; all customers' when `customer_id` is None."""

    async def move(
        self,
        order_id: str,
        *,
        order: OrderState | None = None,
        payment: PaymentState | None = None,
        fulfilment: FulfilmentState | None = None,
        cancel_reason: str | None = None,
    ) -> Order:
        """Moves axes by the state tables, counts the version up if anything changed. Raises IllegalMove."""

    async def set_attention(self, order_id: str, reason: str | None) -> None: ...

    async def mark_started(self, order_id: str) -> None:
        """Its workflow is running; the sweeper need not look."""

    async def not_started(self, older_than_seconds: float, limit: int) -> Sequence[Order]: ...

    async def context_of(self, order_id: str) -> RequestContext:
        """The context of the request that made the order."""


class PaymentRepository(Protocol):
    async def get(self, payment_id: str, *, lock: bool = False) -> Payment:
        """Raises NotFound."""

    async def find(self, provider: str, provider_ref: str) -> Payment | None: ...

    async def record(self, payment_id: str, facts: ProviderPayment) -> Payment:
        """Takes over what the provider says, by rank: late news never takes a payment back.

        A VOIDED payment stays VOIDED, whatever comes. Adds what is new of captures to `captured`.
        """

    async def mark_voided(self, payment_id: str) -> Payment:
        """Closes the payment for good, also before anything was authorised. Raises Conflict once captured."""

    async def create_refund(self, refund: NewRefund) -> Refund:
        """Under the payment's lock. Raises RefundExceedsCapture counting refunds still under way.

        Repeating it with the same id returns the stored one.
        """

    async def refund(self, refund_id: str, *, lock: bool = False) -> Refund:
        """Raises NotFound."""

    async def record_refund(
        self, refund_id: str, status: RefundStatus, provider_ref: str | None, failure_code: str | None
    ) -> Refund:
        """By rank; the first SUCCEEDED adds the amount to the payment's `refunded`."""

    async def open_refunds(self, older_than_seconds: float, limit: int) -> Sequence[Refund]:
        """Requested or pending ones without news for that long."""

    async def silent(self, older_than_seconds: float, limit: int) -> Sequence[Payment]:
        """Payments in REQUIRES_ACTION or PROCESSING without news for that long."""


class LedgerRepository(Protocol):
    async def post(self, transaction: LedgerTransaction) -> bool:
        """Appends once per key (False for a repeat). Raises ValueError unless the postings sum to zero."""

    async def balances(self) -> Mapping[tuple[str, str], int]:
        """Sums by (account, currency)."""


class ShipmentRepository(Protocol):
    async def create(self, shipment_id: str, order_id: str, lines: Sequence[ShipmentLine]) -> Shipment:
        """Repeating it returns the stored one."""

    async def get(self, shipment_id: str, *, lock: bool = False) -> Shipment:
        """Raises NotFound."""

    async def for_order(self, order_id: str, *, lock: bool = False) -> Sequence[Shipment]: ...

    async def find_by_tracking(self, tracking_code: str) -> Shipment | None: ...

    async def record_label(self, shipment_id: str, label: BoughtLabel) -> Shipment:
        """Raises Fenced when the shipment was cancelled meanwhile: the label must be voided."""

    async def record_tracking(self, shipment_id: str, facts: Sequence[TrackingFact]) -> tuple[Shipment, bool]:
        """Stores each fact once and moves the shipment by rank; True when its status changed.

        A CANCELLED shipment keeps its status; the facts are kept all the same.
        """

    async def cancel(self, shipment_id: str) -> Shipment:
        """Raises Conflict once handed over."""

    async def silent(self, older_than_seconds: float, limit: int) -> Sequence[Shipment]:
        """Labelled parcels on their way without news for that long."""


class NotificationRepository(Protocol):
    async def create(self, notification: NewNotification) -> str:
        """Returns the id stored for this order, kind and dedupe: a repeat gets the first one's."""

    async def get(self, notification_id: str) -> Notification:
        """With what its template shows (order number, amounts, tracking). Raises NotFound."""

    async def mark_sent(self, notification_id: str, provider_ref: str) -> None: ...


class OutboxRepository(Protocol):
    async def add(self, message: OutboxMessage) -> None:
        """Wakes the relay on commit (NOTIFY outbox)."""

    async def take(self, limit: int) -> Sequence[OutboxMessage]:
        """Due messages, locked for this transaction and skipped by others; oldest first."""

    async def mark_published(self, message_id: str) -> None: ...

    async def defer(self, message_id: str, seconds: float, error: str) -> None: ...


class InboxRepository(Protocol):
    async def store(self, event: InboxEvent) -> bool:
        """False for an event that was here before. Wakes the relay on commit (NOTIFY inbox)."""

    async def take(self, limit: int) -> Sequence[InboxEvent]:
        """Untold and due ones, locked for this transaction and skipped by others; oldest first."""

    async def mark_told(self, event_id: str, outcome: str, *, seen: bool) -> None:
        """`seen` at once where no workflow waits for the fact and the database took it over."""

    async def defer(self, event_id: str, seconds: float, outcome: str) -> None: ...

    async def events(self, event_ids: Sequence[str]) -> Sequence[InboxEvent]: ...

    async def mark_seen(self, event_ids: Sequence[str]) -> None: ...


class TimelineRepository(Protocol):
    async def add(
        self, order_id: str, kind: str, text: str, data: Mapping[str, str | int | bool | None] | None = None
    ) -> None:
        """Appends, with the unit of work's actor. On commit tells Valkey's listeners (`order:{id}`)."""

    async def list(self, order_id: str, after_seq: int, limit: int) -> Sequence[TimelineEntry]: ...


class AuditRepository(Protocol):
    async def add(
        self,
        action: str,
        object_type: str,
        object_id: str,
        *,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
    ) -> None:
        """Appends, with who asked and under which request from the unit of work's context."""

    async def list(
        self, object_id: str | None, cursor: str | None, limit: int
    ) -> tuple[Sequence[AuditEntry], str | None]: ...


class IdempotencyRepository(Protocol):
    async def find(self, scope: str, operation: str, key: str, fingerprint: str) -> IdempotencyClaim | None:
        """Raises IdempotencyMismatch when the key was used with another fingerprint."""

    async def claim(
        self, scope: str, operation: str, key: str, fingerprint: str, object_id: str
    ) -> IdempotencyClaim:
        """First one in owns the key; a concurrent one waits for that transaction. Raises IdempotencyMismatch."""

    async def store_response(
        self, scope: str, operation: str, key: str, response: StoredResponse
    ) -> StoredResponse:
        """The first stored response, which is what everyone answers."""


class InvariantRepository(Protocol):
    async def check(self) -> Sequence[InvariantResult]: ...


class UnitOfWork(Protocol):
    """One transaction and its repositories."""

    catalogue: CatalogueRepository
    stock: StockRepository
    orders: OrderRepository
    payments: PaymentRepository
    ledger: LedgerRepository
    shipments: ShipmentRepository
    notifications: NotificationRepository
    outbox: OutboxRepository
    inbox: InboxRepository
    timeline: TimelineRepository
    audit: AuditRepository
    idempotency: IdempotencyRepository
    invariants: InvariantRepository


class Database(Protocol):
    """Opens units of work."""

    def transaction(self, context: RequestContext) -> AbstractAsyncContextManager[UnitOfWork]: ...

    def reading(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A read-only transaction with one snapshot."""

    async def ping(self) -> None:
        """Raises ProviderUnavailable."""


class CartStore(Protocol):
    """Carts with optimistic versions and an expiry of 30 days that use renews; expired ones are not served."""

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

    async def track(self, shipment_id: str) -> Sequence[TrackingFact]:
        """All news so far, oldest first, with event ids that are equal to the webhooks'."""

    def parse_webhook(self, payload: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        """Verifies the signature over the raw bytes. Raises ProviderRefused."""

    def facts(self, event: InboxEvent) -> Sequence[TrackingFact]:
        """The news inside a stored event, oldest first."""


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

    async def start_refund(self, refund: Refund, order: Order, context: RequestContext) -> None: ...

    async def start_notification(self, notification: NotificationInput) -> None:
        """A repeat is fine, also after the workflow has closed."""


class LiveUpdates(Protocol):
    """Best-effort news for open sockets and streams; losing one loses no data."""

    async def publish(self, channel: str, message: str) -> None: ...

    def listen(self, channel: str) -> AbstractAsyncContextManager[AsyncIterator[str]]: ...
