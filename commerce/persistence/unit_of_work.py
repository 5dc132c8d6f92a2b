"""The repositories of one transaction."""

from commerce.domain import ports
from commerce.persistence.repositories.audit import SqlAudit
from commerce.persistence.repositories.catalogue import SqlCatalogue
from commerce.persistence.repositories.idempotency import SqlIdempotency
from commerce.persistence.repositories.inbox import SqlInbox
from commerce.persistence.repositories.invariants import SqlInvariants
from commerce.persistence.repositories.ledger import SqlLedger
from commerce.persistence.repositories.notifications import SqlNotifications
from commerce.persistence.repositories.orders import SqlOrders
from commerce.persistence.repositories.outbox import SqlOutbox
from commerce.persistence.repositories.payments import SqlPayments
from commerce.persistence.repositories.shipments import SqlShipments
from commerce.persistence.repositories.stock import SqlStock
from commerce.persistence.repositories.timeline import SqlTimeline
from commerce.persistence.work import Work


class SqlUnitOfWork:
    """Lock order, to stay free of deadlocks: the order row first (every write of a payment, refund,
    shipment, allocation or timeline entry takes it by itself), then reservations, stock last."""

    def __init__(self, work: Work) -> None:
        self.catalogue: ports.CatalogueRepository = SqlCatalogue(work)
        self.stock: ports.StockRepository = SqlStock(work)
        self.orders: ports.OrderRepository = SqlOrders(work)
        self.payments: ports.PaymentRepository = SqlPayments(work)
        self.ledger: ports.LedgerRepository = SqlLedger(work)
        self.shipments: ports.ShipmentRepository = SqlShipments(work)
        self.notifications: ports.NotificationRepository = SqlNotifications(work)
        self.outbox: ports.OutboxRepository = SqlOutbox(work)
        self.inbox: ports.InboxRepository = SqlInbox(work)
        self.timeline: ports.TimelineRepository = SqlTimeline(work)
        self.audit: ports.AuditRepository = SqlAudit(work)
        self.idempotency: ports.IdempotencyRepository = SqlIdempotency(work)
        self.invariants: ports.InvariantRepository = SqlInvariants(work)
