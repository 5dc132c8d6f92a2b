"""Messages to people: ids only, the recipient and the words are read where they are sent."""

from dataclasses import dataclass
from enum import StrEnum

from commerce.contracts.context import RequestContext
from commerce.contracts.statuses import NotificationStatus


class NotificationKind(StrEnum):
    ORDER_PLACED = "order_placed"
    ORDER_SHIPPED = "order_shipped"
    ORDER_DELIVERED = "order_delivered"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_REFUNDED = "order_refunded"


@dataclass(frozen=True)
class NotificationInput:
    notification_id: str
    order_id: str
    kind: NotificationKind
    context: RequestContext


@dataclass(frozen=True)
class NotificationResult:
    notification_id: str
    status: NotificationStatus
