"""The problems that clients are told, as one tree; each class is one stable slug.

Problem
├── BadRequest 400            malformed-json, idempotency-key-missing, idempotency-key-malformed,
│                             cursor-malformed, webhook-signature-invalid
├── AuthenticationRequired 401   InvalidToken
├── PaymentDeclined 402
├── Forbidden 403
├── ObjectNotFound 404        also for objects of somebody else
├── MethodNotAllowed 405
├── StateConflict 409         what the present state does not allow
├── PreconditionFailed 412, PreconditionRequired 428
├── BodyTooLarge 413, UnsupportedMediaType 415
├── InvalidRequest 422        fields that are wrong, each kind with a slug of its own
├── InternalError 500
└── Unavailable 503
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from commerce.contracts.checkout import Shortage

Json = dict[str, object]


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a request; `pointer` is a JSON pointer, outside the body from `/query`, `/path`…"""

    detail: str
    pointer: str
    extra: Json = field(default_factory=dict)

    def as_json(self) -> Json:
        return {"detail": self.detail, "pointer": self.pointer, **self.extra}


class Problem(Exception):
    """Root of everything answered as `application/problem+json`."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]

    def __init__(
        self,
        detail: str = "",
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        **extensions: object,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.faults = list(faults)
        self.headers = dict(headers or {})
        self.extensions: Json = extensions


class BadRequest(Problem):
    status, slug, title = 400, "bad-request", "The request cannot be understood"


class MalformedJson(BadRequest):
    slug, title = "malformed-json", "The body is not JSON"


class IdempotencyKeyMissing(BadRequest):
    slug, title = "idempotency-key-missing", "This call needs an Idempotency-Key header"


class IdempotencyKeyMalformed(BadRequest):
    slug, title = "idempotency-key-malformed", "The Idempotency-Key header is not a key"


class CursorMalformed(BadRequest):
    slug, title = "cursor-malformed", "The cursor is not one that this list gave out"


class WebhookSignatureInvalid(BadRequest):
    slug, title = "webhook-signature-invalid", "The webhook is not signed by its provider"


class AuthenticationRequired(Problem):
    status, slug, title = 401, "authentication-required", "Sign in first"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class InvalidToken(Problem):
    status, slug, title = 401, "invalid-token", "The access token is not valid, or no longer"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


class PaymentDeclined(Problem):
    status, slug, title = 402, "payment-declined", "The payment was declined"

    def __init__(self, decline_code: str, order_id: str) -> None:
        super().__init__(
            "Nothing was charged. The cart is still open: try again with another payment and a new key.",
            decline_code=decline_code,
            order_id=order_id,
        )


class Forbidden(Problem):
    status, slug, title = 403, "forbidden", "Your role does not allow this"


class ObjectNotFound(Problem):
    status, slug, title = 404, "not-found", "There is nothing here for you"


class MethodNotAllowed(Problem):
    status, slug, title = 405, "method-not-allowed", "This address does not take that method"


class StateConflict(Problem):
    status, slug, title = 409, "conflict", "The present state does not allow this"


class OutOfStock(StateConflict):
    slug, title = "out-of-stock", "Not everything is in stock"

    def __init__(self, shortages: Sequence[Shortage], order_id: str | None = None) -> None:
        super().__init__(
            "Nothing was charged and nothing is held. Change the lines named and try again with a new key.",
            faults=[_shortage_fault(shortage) for shortage in shortages],
        )
        if order_id is not None:
            self.extensions["order_id"] = order_id


def _shortage_fault(shortage: Shortage) -> Fault:
    return Fault(
        f"{shortage.requested} of {shortage.sku} are wanted, {shortage.available} are available",
        f"/lines/{shortage.line_no - 1}",
        {
            "sku": shortage.sku,
            "line_no": shortage.line_no,
            "requested": shortage.requested,
            "available": shortage.available,
        },
    )


class PriceChanged(StateConflict):
    slug, title = "price-changed", "The price is no longer what was expected"


class CartAlreadyOrdered(StateConflict):
    slug, title = "cart-already-ordered", "The cart has become an order"

    def __init__(self, order_id: str) -> None:
        super().__init__(order_id=order_id)


class CheckoutCancelled(StateConflict):
    slug, title = "checkout-cancelled", "The order was cancelled before it was placed"


class OrderNotCancellable(StateConflict):
    slug, title = "order-not-cancellable", "The order can no longer be cancelled"


class RefundExceedsCaptured(StateConflict):
    slug, title = "refund-exceeds-captured", "More than was captured and not yet given back"


class RefundRefused(StateConflict):
    slug, title = "refund-refused", "The payment provider refused the refund"


class ReservationExists(StateConflict):
    slug, title = "reservation-exists", "The cart already holds stock"


class ReservationClosed(StateConflict):
    slug, title = "reservation-closed", "The hold is over, or was extended before"


class NothingParked(StateConflict):
    slug, title = "nothing-parked", "There is no such compensation waiting for a decision"


class DuplicateSku(StateConflict):
    slug, title = "product-exists", "The slug or a SKU belongs to another product"


class InsufficientStock(StateConflict):
    slug, title = "insufficient-stock", "Stock would fall below what is promised"


class IdempotencyInFlight(StateConflict):
    slug, title = "idempotency-in-flight", "The first call with this key is still running"

    def __init__(self) -> None:
        super().__init__("Repeat it with the same key.", headers={"Retry-After": "5"})


class PreconditionFailed(Problem):
    status, slug, title = 412, "precondition-failed", "Somebody else wrote first"


class BodyTooLarge(Problem):
    status, slug, title = 413, "body-too-large", "The body is larger than this call takes"

    def __init__(self, limit: int) -> None:
        super().__init__(f"At most {limit} bytes.", headers={"Connection": "close"}, limit=limit)


class UnsupportedMediaType(Problem):
    status, slug, title = 415, "unsupported-media-type", "The body's content type is not taken here"


class InvalidRequest(Problem):
    status, slug, title = 422, "invalid-request", "Fields of the request are wrong"


class UnknownField(InvalidRequest):
    slug, title = "unknown-field", "The request has fields that this call does not know"


class InvalidQuantity(InvalidRequest):
    slug, title = "invalid-quantity", "The quantity is not one that can be ordered"


class InvalidText(InvalidRequest):
    slug, title = "invalid-text", "A text has characters that cannot be stored"


class UnknownSku(InvalidRequest):
    slug, title = "unknown-sku", "The SKU is not for sale"


class UnsupportedCurrency(InvalidRequest):
    slug, title = "unsupported-currency", "Nothing is sold in this currency"


class UnknownShippingMethod(InvalidRequest):
    slug, title = "unknown-shipping-method", "The shipping method does not serve this address"


class UnsupportedPaymentProvider(InvalidRequest):
    slug, title = "unsupported-payment-provider", "This way to pay is not offered"


class EmptyCart(InvalidRequest):
    slug, title = "empty-cart", "The cart has nothing in it"


class CardNumberRefused(InvalidRequest):
    slug, title = "card-number-refused", "Card numbers are not taken, send the provider's token"


class IdempotencyKeyReused(InvalidRequest):
    slug, title = "idempotency-key-reused", "The key was used with another payload"


class InvalidRefund(InvalidRequest):
    slug, title = "invalid-refund", "The order has no such lines or pieces to give back"


class PreconditionRequired(Problem):
    status, slug, title = 428, "precondition-required", "This write needs If-Match with the ETag last read"


class InternalError(Problem):
    status, slug, title = 500, "internal-error", "Something went wrong here"


class Unavailable(Problem):
    status, slug, title = 503, "temporarily-unavailable", "Not possible right now, try again"

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": str(max(1, round(retry_after or 2)))})


class NotReady(Unavailable):
    slug, title = "not-ready", "A part that the gateway needs is down"

    def __init__(self, checks: Mapping[str, str]) -> None:
        down = [name for name, state in checks.items() if state != "up"]
        super().__init__(f"Down: {', '.join(down)}.")
        self.extensions |= {"checks": dict(checks), "down": down}


def all_problems(root: type[Problem] = Problem) -> Iterator[type[Problem]]:
    """Every class of the tree that can be answered, parents first."""
    for child in root.__subclasses__():
        yield child
        yield from all_problems(child)
