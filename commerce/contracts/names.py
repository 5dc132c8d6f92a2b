"""Names on the wire of Temporal: fixed for as long as a history holds one."""

from typing import Final

CHECKOUT_WORKFLOW: Final = "CheckoutWorkflow"
PAYMENT_WORKFLOW: Final = "PaymentWorkflow"
STOCK_RESERVATION_WORKFLOW: Final = "StockReservationWorkflow"
SHIPMENT_WORKFLOW: Final = "ShipmentWorkflow"
NOTIFICATION_WORKFLOW: Final = "NotificationWorkflow"
SWEEP_WORKFLOW: Final = "SweepWorkflow"

CHECKOUT: Final = "checkout"
CANCEL_ORDER: Final = "cancel_order"
RESOLVE_COMPENSATION: Final = "resolve_compensation"
REFUND: Final = "refund"
RESERVE: Final = "reserve"
EXTEND_RESERVATION: Final = "extend_reservation"
RELEASE_RESERVATION: Final = "release_reservation"

EXTERNAL_EVENT: Final = "external_event"
ORDER_PROGRESSED: Final = "order_progressed"

STATUS: Final = "status"

SWEEP_SCHEDULE: Final = "sweep"

TOPIC_ORDER_PLACED: Final = "order-placed"
TOPIC_ORDER_DELIVERED: Final = "order-delivered"
TOPICS: Final = (TOPIC_ORDER_PLACED, TOPIC_ORDER_DELIVERED)
"""Every topic that the shop publishes to."""
