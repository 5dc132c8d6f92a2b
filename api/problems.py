"""The one place where anything raised becomes an `application/problem+json` answer (RFC 9457)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api import errors as problems
from api.errors import Fault, InvalidRequest, Json, Problem, all_problems
from commerce.domain import errors as domain

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE


class BodyOverflow(HTTPException):
    """Raised while a body is read; FastAPI lets only its own exception class out of that."""

    def __init__(self, limit: int) -> None:
        super().__init__(413)
        self.limit = limit


class ProblemRenderer:
    """Renders problems with types below `public_url`; the slug is what clients may rely on."""

    def __init__(self, public_url: str) -> None:
        self._types = public_url.rstrip("/") + "/problems/"

    def document(self, problem: Problem, path: str) -> Json:
        body: Json = {
            "type": self._types + problem.slug,
            "title": problem.title,
            "status": problem.status,
            "instance": path,
        }
        if problem.detail:
            body["detail"] = problem.detail
        if problem.faults:
            body["errors"] = [fault.as_json() for fault in problem.faults]
        return body | problem.extensions

    def respond(self, problem: Problem, path: str) -> Response:
        return ProblemResponse(self.document(problem, path), problem.status, problem.headers)


def install_handlers(app: FastAPI, renderer: ProblemRenderer) -> None:
    """Has the application answer every error of the three trees below as a problem."""

    async def handle(request: Request, error: Exception) -> Response:
        if isinstance(error, domain.ProviderError):
            log.warning("dependency failed", error=str(error), kind=type(error).__name__)
        return renderer.respond(to_problem(error), request.url.path)

    for kind in (Problem, domain.CommerceError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, handle)


def to_problem(error: Exception) -> Problem:
    """What to tell the client; anything that nobody raised on purpose is an internal error."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return validation_problem(error.errors())
    if isinstance(error, BodyOverflow):
        return problems.BodyTooLarge(error.limit)
    if isinstance(error, HTTPException):
        return _http_problem(error)
    for kind in type(error).__mro__:
        if kind in DOMAIN_PROBLEMS:
            return DOMAIN_PROBLEMS[kind](error)
    return problems.InternalError()


DOMAIN_PROBLEMS: Mapping[type, Callable[[Any], Problem]] = {
    domain.NotFound: lambda e: problems.ObjectNotFound(f"No {e.kind} with this id."),
    domain.StaleVersion: lambda e: problems.PreconditionFailed("Read it again, then repeat the change."),
    domain.CartAlreadyOrdered: lambda e: problems.CartAlreadyOrdered(order_id=e.order_id),
    domain.NotForSale: lambda e: problems.UnknownSku(
        faults=[Fault(f"{sku} is not for sale", "/lines", {"sku": sku}) for sku in e.skus]
    ),
    domain.RefundExceedsCapture: lambda e: problems.RefundExceedsCaptured(
        f"At most {e.refundable} minor units can still be given back.", refundable=e.refundable
    ),
    domain.ReservationClosed: lambda e: problems.ReservationClosed(),
    domain.Conflict: lambda e: problems.StateConflict(),
    domain.InvalidCursor: lambda e: problems.CursorMalformed(
        faults=[Fault("not a cursor of this list", "/query/cursor")]
    ),
    domain.IdempotencyMismatch: lambda e: problems.IdempotencyKeyReused(
        faults=[Fault("used before with another payload", "/header/idempotency-key")]
    ),
    domain.ProviderUnavailable: lambda e: problems.Unavailable(retry_after=e.retry_after),
    domain.ProviderOutcomeUnknown: lambda e: problems.Unavailable(
        "The outcome is not known yet; repeating the call with the same key is safe."
    ),
}


def _http_problem(error: HTTPException) -> Problem:
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            return problems.ObjectNotFound()
        case 405:
            return problems.MethodNotAllowed(headers=headers)
        case status if status < 500:
            return problems.MalformedJson()
        case _:
            return problems.InternalError()


def validation_problem(failures: Sequence[Mapping[str, Any]]) -> Problem:
    """One slug where all faults are of one kind with a name of its own, else `invalid-request`.

    What was sent is never repeated: it may be a person's, or a card's.
    """
    if any(failure["type"] == "json_invalid" for failure in failures):
        return problems.MalformedJson(faults=[_fault(failure) for failure in failures])
    if any(failure["loc"][:1] == ("path",) for failure in failures):
        return problems.ObjectNotFound()
    kinds = {_KINDS.get(failure["type"], InvalidRequest) for failure in failures}
    kind = kinds.pop() if len(kinds) == 1 else InvalidRequest
    return kind(faults=[_fault(failure) for failure in failures])


_KINDS: dict[str, type[Problem]] = {
    "extra_forbidden": problems.UnknownField,
    "string_unicode": problems.InvalidText,
} | {kind.slug: kind for kind in all_problems(InvalidRequest)}
"""By pydantic's error type; our own validators raise the slug itself as type."""


def _fault(failure: Mapping[str, Any]) -> Fault:
    match failure["type"]:
        case "json_invalid":
            return Fault(f"not JSON at character {failure['loc'][-1]}", "")
        case "extra_forbidden":
            detail = "this field is not known here"
        case _:
            detail = str(failure["msg"]).removeprefix("Value error, ")
    return Fault(detail, pointer_of(failure["loc"]))


def pointer_of(location: Sequence[str | int]) -> str:
    """A JSON pointer (RFC 6901) into the body; other parts of the request start with their name."""
    parts = list(location)
    if parts and parts[0] == "body":
        parts = parts[1:]
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
