"""Refusals in EasyPost's shape: `{"error": {"code", "message", "errors": [{"field", "message"}]}}`."""

from dataclasses import dataclass, field

from devstack.emulators.common.jsonvalue import JSON


@dataclass(frozen=True)
class FieldError:
    field: str
    message: str

    def to_json(self) -> dict[str, JSON]:
        return {"field": self.field, "message": self.message, "suggestion": None}


@dataclass(frozen=True)
class Refusal(Exception):
    """Nothing was done; the client is told why."""

    status: int
    code: str
    message: str
    errors: list[FieldError] = field(default_factory=list)

    def to_json(self) -> dict[str, JSON]:
        errors = [error.to_json() for error in self.errors]
        return {"error": {"code": self.code, "message": self.message, "errors": errors}}


def unauthorized() -> Refusal:
    return Refusal(401, "APIKEY.INACTIVE", "This api key is not active or does not exist.")


def malformed() -> Refusal:
    return Refusal(400, "BAD_REQUEST", "The request body could not be parsed.")


def not_found() -> Refusal:
    return Refusal(404, "NOT_FOUND", "The requested resource could not be found.")


def required(name: str) -> Refusal:
    return Refusal(
        422, "PARAMETER.REQUIRED", "Missing required parameter.", [FieldError(name, "cannot be blank")]
    )


def invalid(code: str, message: str, errors: list[FieldError]) -> Refusal:
    return Refusal(422, code, message, errors)


def postage_exists() -> Refusal:
    return Refusal(422, "SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")


def postage_required() -> Refusal:
    return Refusal(422, "SHIPMENT.POSTAGE.REQUIRED", "Postage is required before it can be refunded.")


def rate_missing() -> Refusal:
    return Refusal(422, "SHIPMENT.MISSING_RATE", "The rate is not one of this shipment's rates.")


def refund_unavailable() -> Refusal:
    return Refusal(422, "SHIPMENT.REFUND.UNAVAILABLE", "The carrier has the parcel: no refund is possible.")


def server_error() -> Refusal:
    return Refusal(500, "INTERNAL_SERVER_ERROR", "An unexpected error occurred on the server.")


def rate_limited() -> Refusal:
    return Refusal(429, "RATE_LIMITED", "Too many requests: slow down.")
