"""Task queues: each has its own workers and slots, so that a silent mail server starves no payment."""

from enum import StrEnum


class TaskQueue(StrEnum):
    CHECKOUT = "checkout"
    PAYMENTS = "payments"
    FULFILMENT = "fulfilment"
    NOTIFICATIONS = "notifications"
    MAINTENANCE = "maintenance"
