"""Ports to everything outside this process. Adapters live in `persistence` and `providers`.

Reads and writes of PostgreSQL go through a `UnitOfWork`: its repositories share one transaction, which
commits when the block ends and rolls back on any exception. Serialisation failures, deadlocks and lock
time-outs surface as `ProviderUnavailable` and are retried as a whole by the caller's retry layer.
"""

from commerce.domain.ports.store import (
    AuditRepository,
    CatalogueRepository,
    Database,
    IdempotencyRepository,
    InboxRepository,
    InvariantRepository,
    LedgerRepository,
    NotificationRepository,
    OrderRepository,
    OutboxRepository,
    PaymentRepository,
    ShipmentRepository,
    StockRepository,
    TimelineRepository,
    UnitOfWork,
)
from commerce.domain.ports.world import (
    Carrier,
    CartStore,
    EventPublisher,
    LiveUpdates,
    Mailer,
    PaymentProvider,
    WorkflowGateway,
)

__all__ = [
    "AuditRepository",
    "Carrier",
    "CartStore",
    "CatalogueRepository",
    "Database",
    "EventPublisher",
    "IdempotencyRepository",
    "InboxRepository",
    "InvariantRepository",
    "LedgerRepository",
    "LiveUpdates",
    "Mailer",
    "NotificationRepository",
    "OrderRepository",
    "OutboxRepository",
    "PaymentProvider",
    "PaymentRepository",
    "ShipmentRepository",
    "StockRepository",
    "TimelineRepository",
    "UnitOfWork",
    "WorkflowGateway",
]
