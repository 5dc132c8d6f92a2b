"""Stripe's words and ours, both ways."""

from collections.abc import Mapping
from enum import StrEnum

from commerce.contracts.statuses import PaymentStatus, RefundStatus


class IntentStatus(StrEnum):
    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    REQUIRES_CAPTURE = "requires_capture"
    CANCELED = "canceled"
    SUCCEEDED = "succeeded"


PAYMENT_STATUS: Mapping[IntentStatus, PaymentStatus] = {
    IntentStatus.REQUIRES_PAYMENT_METHOD: PaymentStatus.REQUIRES_ACTION,
    IntentStatus.REQUIRES_CONFIRMATION: PaymentStatus.REQUIRES_ACTION,
    IntentStatus.REQUIRES_ACTION: PaymentStatus.REQUIRES_ACTION,
    IntentStatus.PROCESSING: PaymentStatus.PROCESSING,
    IntentStatus.REQUIRES_CAPTURE: PaymentStatus.AUTHORISED,
    IntentStatus.CANCELED: PaymentStatus.VOIDED,
    IntentStatus.SUCCEEDED: PaymentStatus.CAPTURED,
}
"""A failed attempt also goes back to `requires_payment_method`: with an error it is DECLINED."""

INTENT_STATUSES: Mapping[PaymentStatus, frozenset[IntentStatus]] = {
    ours: frozenset(theirs for theirs, mapped in PAYMENT_STATUS.items() if mapped is ours)
    for ours in PAYMENT_STATUS.values()
} | {PaymentStatus.DECLINED: frozenset({IntentStatus.REQUIRES_PAYMENT_METHOD})}

FINAL = frozenset({IntentStatus.CANCELED, IntentStatus.SUCCEEDED})

LIVELINESS: Mapping[IntentStatus, int] = {
    IntentStatus.CANCELED: 0,
    IntentStatus.REQUIRES_PAYMENT_METHOD: 1,
    IntentStatus.REQUIRES_CONFIRMATION: 2,
    IntentStatus.REQUIRES_ACTION: 3,
    IntentStatus.PROCESSING: 4,
    IntentStatus.REQUIRES_CAPTURE: 5,
    IntentStatus.SUCCEEDED: 6,
}
"""Of several intents for one payment, the one with most money at stake speaks for it."""

REFUND_STATUS: Mapping[str, RefundStatus] = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
