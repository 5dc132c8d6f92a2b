"""Stable names of the failures that cross Temporal: retry policies and callers match these, never a text."""

from enum import StrEnum


class ErrorType(StrEnum):
    """`type` of an `ApplicationError`."""

    PERMANENT = "Permanent"
    """The provider or a rule refused for good: another attempt with the same input cannot succeed."""
    RETRYABLE = "Retryable"
    """Network, 5xx, rate limit, lock, serialisation: the same key again, later."""
    OUTCOME_UNKNOWN = "OutcomeUnknown"
    """The call may have had its effect: the same key again, then look up, never compensate on a guess."""
    FENCED = "Fenced"
    """A compensation has closed this door: a late forward step must not act."""
    NOT_FOUND = "NotFound"
    ORDER_NOT_CANCELLABLE = "OrderNotCancellable"
    REFUND_REFUSED = "RefundRefused"
    RESERVATION_REFUSED = "ReservationRefused"
    CHECKOUT_FAILED = "CheckoutFailed"


NON_RETRYABLE = [
    ErrorType.PERMANENT,
    ErrorType.FENCED,
    ErrorType.NOT_FOUND,
    ErrorType.ORDER_NOT_CANCELLABLE,
    ErrorType.REFUND_REFUSED,
    ErrorType.RESERVATION_REFUSED,
]
