"""Refusals as Stripe words and numbers them."""

from dataclasses import dataclass
from enum import StrEnum

from devstack.emulators.common.jsonvalue import JSON


class ErrorType(StrEnum):
    API = "api_error"
    CARD = "card_error"
    IDEMPOTENCY = "idempotency_error"
    INVALID_REQUEST = "invalid_request_error"


@dataclass
class ApiError(Exception):
    """Raised before anything was changed.

    `executed` is false where the call did not get past its checks: Stripe then keeps no idempotent
    answer, and the same key may be used again.
    """

    message: str
    code: str | None = None
    param: str | None = None
    status: int = 400
    type: ErrorType = ErrorType.INVALID_REQUEST
    executed: bool = False
    payment_intent: str | None = None
    """Id of the intent whose present state the answer shows."""

    def body(self) -> dict[str, JSON]:
        error: dict[str, JSON] = {"type": self.type.value, "message": self.message}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = doc_url(self.code)
        if self.param is not None:
            error["param"] = self.param
        return error


def doc_url(code: str) -> str:
    return f"https://docs.stripe.com/error-codes/{code.replace('_', '-')}"


def missing_param(name: str) -> ApiError:
    return ApiError(f"Missing required param: {name}.", "parameter_missing", name)


def no_such(kind: str, object_id: str, param: str, *, in_url: bool) -> ApiError:
    """404 for the object of the URL, 400 for one that a parameter names."""
    message = f"No such {kind}: '{object_id}'"
    return ApiError(message, "resource_missing", param, status=404 if in_url else 400)


def unexpected_state(message: str, payment_intent: str) -> ApiError:
    return ApiError(message, "payment_intent_unexpected_state", executed=True, payment_intent=payment_intent)
