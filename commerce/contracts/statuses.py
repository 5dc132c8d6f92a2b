"""Words for where things stand. Their legal moves are in `commerce.domain.states`."""

from enum import StrEnum


class OrderStatus(StrEnum):
    """The shopper's word; derived from the four axes, and the search attribute `OrderStatus`."""

    PENDING = "Pending"
    PROCESSING = "Processing"
    SHIPPED = "Shipped"
    DELIVERED = "Delivered"
    CANCELLED = "Cancelled"
    REFUNDED = "Refunded"


class OrderState(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


class PaymentState(StrEnum):
    """The order's payment axis, and the search attribute `PaymentStatus`."""

    NONE = "none"
    AUTHORISED = "authorised"
    PARTIALLY_CAPTURED = "partially_captured"
    CAPTURED = "captured"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    FAILED = "failed"
    DISPUTED = "disputed"


class FulfilmentState(StrEnum):
    UNFULFILLED = "unfulfilled"
    PARTIAL = "partial"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    LOST = "lost"


class ReturnState(StrEnum):
    NONE = "none"
    REQUESTED = "requested"
    IN_TRANSIT = "in_transit"
    RECEIVED = "received"
    CLOSED = "closed"


class PaymentStatus(StrEnum):
    """One payment at one provider, as we know it. VOIDED also marks a payment that must not be authorised."""

    REQUESTED = "requested"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"


class RefundStatus(StrEnum):
    REQUESTED = "requested"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class ShipmentStatus(StrEnum):
    """Ranked: a carrier's late news never takes a shipment back."""

    ALLOCATED = "allocated"
    LABELLED = "labelled"
    HANDED_OVER = "handed_over"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    RETURNING = "returning"
    LOST = "lost"
    CANCELLED = "cancelled"


class ReservationStatus(StrEnum):
    """PLANNED is a stored wish that holds nothing yet."""

    PLANNED = "planned"
    HELD = "held"
    CONSUMED = "consumed"
    RELEASED = "released"
    EXPIRED = "expired"


class NotificationStatus(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    SUPPRESSED = "suppressed"


class Provider(StrEnum):
    STRIPE = "stripe"
    PAYPAL = "paypal"
    GIFT_CARD = "gift_card"
