import inspect
import json

import pytest
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api import errors
from api.problems import (
    DOMAIN_PROBLEMS,
    BodyOverflow,
    ProblemRenderer,
    pointer_of,
    to_problem,
    validation_problem,
)
from commerce.contracts.checkout import Shortage
from commerce.domain import errors as domain

RENDERER = ProblemRenderer("https://shop.example/")


def test_every_problem_has_a_slug_title_and_status_of_its_own() -> None:
    kinds = list(errors.all_problems())
    slugs = [kind.slug for kind in kinds]
    assert len(set(slugs)) == len(slugs)
    assert all(kind.title and 400 <= kind.status <= 599 for kind in kinds)
    assert all(slug == slug.lower() and " " not in slug for slug in slugs)


def test_a_document_follows_rfc_9457() -> None:
    problem = errors.InvalidQuantity("No.", faults=[errors.Fault("too many", "/quantity")], most=5)
    response = RENDERER.respond(problem, "/v1/carts/cart_1/items/X")
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert json.loads(bytes(response.body)) == {
        "type": "https://shop.example/problems/invalid-quantity",
        "title": errors.InvalidQuantity.title,
        "status": 422,
        "detail": "No.",
        "instance": "/v1/carts/cart_1/items/X",
        "errors": [{"detail": "too many", "pointer": "/quantity"}],
        "most": 5,
    }


def test_shortages_point_at_lines_counted_from_zero() -> None:
    problem = errors.OutOfStock([Shortage(2, "85123A", 6, 1)])
    assert [fault.as_json() for fault in problem.faults] == [
        {
            "detail": "6 of 85123A are wanted, 1 are available",
            "pointer": "/lines/1",
            "sku": "85123A",
            "line_no": 2,
            "requested": 6,
            "available": 1,
        }
    ]


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (domain.NotFound("order", "ord_1"), 404, "not-found"),
        (domain.StaleVersion("cart", "cart_1", 3), 412, "precondition-failed"),
        (domain.CartAlreadyOrdered("cart_1", "ord_1"), 409, "cart-already-ordered"),
        (domain.RefundExceedsCapture(500), 409, "refund-exceeds-captured"),
        (domain.ReservationClosed("over"), 409, "reservation-closed"),
        (domain.IllegalMove("order", "a", "b"), 409, "conflict"),
        (domain.IdempotencyMismatch("k"), 422, "idempotency-key-reused"),
        (domain.InvalidCursor("c"), 400, "cursor-malformed"),
        (domain.ProviderUnavailable("down", retry_after=7), 503, "temporarily-unavailable"),
        (domain.ProviderOutcomeUnknown("hm"), 503, "temporarily-unavailable"),
        (HTTPException(404), 404, "not-found"),
        (HTTPException(405, headers={"Allow": "GET"}), 405, "method-not-allowed"),
        (HTTPException(400), 400, "malformed-json"),
        (BodyOverflow(10), 413, "body-too-large"),
        (RuntimeError("secret"), 500, "internal-error"),
    ],
)
def test_each_error_has_one_problem(error: Exception, status: int, slug: str) -> None:
    problem = to_problem(error)
    assert (problem.status, problem.slug) == (status, slug)


def test_every_kind_of_domain_error_is_mapped_on_purpose() -> None:
    never_reaches_a_client = {domain.ProviderError, domain.ProviderRefused}
    kinds = {kind for _, kind in inspect.getmembers(domain, inspect.isclass)} - {domain.CommerceError}
    unmapped = {kind for kind in kinds if not set(kind.__mro__) & set(DOMAIN_PROBLEMS)}
    assert unmapped == never_reaches_a_client


def test_what_nobody_raised_on_purpose_tells_nothing() -> None:
    body = RENDERER.document(to_problem(RuntimeError("password=1")), "/v1/me")
    assert "password" not in json.dumps(body)


def test_the_providers_wish_becomes_retry_after() -> None:
    assert to_problem(domain.ProviderUnavailable("down", retry_after=7)).headers["Retry-After"] == "7"


def _failure(kind: str, *loc: str | int, msg: str = "no") -> dict[str, object]:
    return {"type": kind, "loc": loc, "msg": msg, "input": "sensitive"}


def test_faults_of_one_kind_have_its_slug() -> None:
    problem = validation_problem([_failure("invalid-quantity", "body", "quantity")])
    assert (problem.slug, problem.faults[0].pointer) == ("invalid-quantity", "/quantity")


def test_faults_of_several_kinds_share_the_general_slug() -> None:
    problem = validation_problem(
        [_failure("extra_forbidden", "body", "x"), _failure("invalid-quantity", "body", "quantity")]
    )
    assert problem.slug == "invalid-request"
    assert [fault.pointer for fault in problem.faults] == ["/x", "/quantity"]


def test_unknown_fields_have_a_slug_and_a_pointer() -> None:
    problem = validation_problem([_failure("extra_forbidden", "body", "a", 0, "b/c")])
    assert (problem.slug, problem.faults[0].pointer) == ("unknown-field", "/a/0/b~1c")


def test_what_was_sent_is_never_repeated() -> None:
    problem = to_problem(RequestValidationError([_failure("int_type", "body", "amount")]))
    assert "sensitive" not in json.dumps([fault.as_json() for fault in problem.faults])


def test_a_malformed_id_in_the_address_is_not_found() -> None:
    assert validation_problem([_failure("string_pattern_mismatch", "path", "cart_id")]).status == 404


def test_bad_json_is_a_bad_request() -> None:
    problem = validation_problem([_failure("json_invalid", "body", 17)])
    assert (problem.status, problem.slug) == (400, "malformed-json")
    assert problem.faults[0].detail == "not JSON at character 17"


def test_parts_outside_the_body_start_with_their_name() -> None:
    assert pointer_of(("query", "limit")) == "/query/limit"
    assert pointer_of(("header", "idempotency-key")) == "/header/idempotency-key"
    assert pointer_of(("body",)) == ""
