"""PostgreSQL as the rest of the shop sees it: repositories that share one transaction."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from commerce.contracts.context import RequestContext
from commerce.contracts.statuses import (
    FulfilmentState,
    OrderState,
    PaymentState,
    RefundStatus,
)
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
    BoughtLabel,
    ProviderPayment,
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

    async def held_for_cart(self, cart_id: str) -> str | None:
        """The reservation that holds stock for this cart now and that no order has taken over."""

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

    async def needing_attention(self, cursor: str | None, limit: int) -> tuple[Sequence[Order], str | None]:
        """Orders that wait for a person, newest first."""

    async def mark_started(self, order_id: str) -> None:
        """Its workflow is running; the sweeper need not look."""

    async def not_started(self, older_than_seconds: float, limit: int) -> Sequence[Order]: ...

    async def cancelled_with_money(self, older_than_seconds: float, limit: int) -> Sequence[Order]:
        """Closed for that long, not before support, and money is neither back nor on its way back."""

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

    async def take(self, limit: int, lease_seconds: float) -> Sequence[OutboxMessage]:
        """Due messages, oldest first, skipping locked ones: nobody else is given them for that long.

        Counts `attempts` up. One statement (UPDATE … WHERE id IN (SELECT … SKIP LOCKED) RETURNING).
        """

    async def mark_published(self, message_ids: Sequence[str]) -> None: ...

    async def defer(self, message_id: str, seconds: float, error: str) -> None: ...


class InboxRepository(Protocol):
    async def store(self, event: InboxEvent) -> bool:
        """False for an event that was here before. Wakes the relay on commit (NOTIFY inbox)."""

    async def take(self, limit: int, lease_seconds: float) -> Sequence[InboxEvent]:
        """Untold and due ones, oldest first, skipping locked ones: nobody else is given them for that long.

        Counts `attempts` up.
        """

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
        """The first one in owns the key, a concurrent one waits for it. Raises IdempotencyMismatch."""

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
