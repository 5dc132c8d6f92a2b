"""The errors that rules and ports raise, as one tree.

CommerceError
├── NotFound                 the object is not there, or not for this caller
├── Conflict                 the state does not allow it
│   ├── StaleVersion         somebody else wrote first
│   ├── IllegalMove          not in the state table
│   ├── CartAlreadyOrdered   the cart has an order that is not cancelled
│   ├── Fenced               a compensation has closed this door
│   ├── RefundExceedsCapture more than was captured and is not yet given back
│   ├── ReservationClosed    the hold is over, or was extended before
│   ├── ProductInUse
│   └── NotForSale           SKUs without a price in the currency, or archived
├── IdempotencyMismatch      the key was used with another payload
├── InvalidCursor            not a cursor that we gave out
└── ProviderError            a call to the outside failed
    ├── ProviderUnavailable  retryable; it had no effect, or repeating is harmless
    ├── ProviderOutcomeUnknown  it may have had its effect
    └── ProviderRefused      permanent: validation, credentials, state at the provider
"""


class CommerceError(Exception):
    """Root of what this shop raises on purpose."""


class NotFound(CommerceError):
    def __init__(self, kind: str, object_id: str) -> None:
        super().__init__(f"no {kind} {object_id}")
        self.kind = kind
        self.object_id = object_id


class Conflict(CommerceError):
    pass


class StaleVersion(Conflict):
    def __init__(self, kind: str, object_id: str, expected: int) -> None:
        super().__init__(f"{kind} {object_id} is no longer at version {expected}")


class IllegalMove(Conflict):
    def __init__(self, axis: str, current: str, wanted: str) -> None:
        super().__init__(f"{axis} cannot go from {current} to {wanted}")
        self.axis, self.current, self.wanted = axis, current, wanted


class CartAlreadyOrdered(Conflict):
    def __init__(self, cart_id: str, order_id: str) -> None:
        super().__init__(f"cart {cart_id} already became order {order_id}")
        self.order_id = order_id


class Fenced(Conflict):
    pass


class RefundExceedsCapture(Conflict):
    def __init__(self, refundable: int) -> None:
        super().__init__(f"at most {refundable} minor units can still be refunded")
        self.refundable = refundable


class ReservationClosed(Conflict):
    pass


class ProductInUse(Conflict):
    pass


class NotForSale(Conflict):
    def __init__(self, skus: list[str]) -> None:
        super().__init__(f"not for sale: {', '.join(skus)}")
        self.skus = skus


class IdempotencyMismatch(CommerceError):
    pass


class InvalidCursor(CommerceError):
    pass


class ProviderError(CommerceError):
    """`retry_after` is the provider's own wish in seconds."""

    def __init__(self, message: str, *, code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after


class ProviderUnavailable(ProviderError):
    pass


class ProviderOutcomeUnknown(ProviderError):
    pass


class ProviderRefused(ProviderError):
    pass
