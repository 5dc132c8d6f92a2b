"""Every route says who may call it, is small, and is described; a route without a rule cannot exist."""

import ast
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.app import check_rules, create_app
from api.guard import GuardedRoute, guarded_router
from api.policy import Door, MissingRule, Rule, allow, anyone
from commerce.runtime.settings import GatewaySettings

ROUTES = Path(__file__).parents[2] / "api" / "routes"
LONGEST = 25
PUBLIC = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/codec/sign-in"),
    ("GET", "/problems/{slug}"),
    ("GET", "/v1/products"),
    ("GET", "/v1/products/{product_id}"),
    ("POST", "/v1/carts"),
}
SIGNED = {("POST", "/v1/webhooks/stripe"), ("POST", "/v1/webhooks/carriers/{carrier}")}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    settings = GatewaySettings(
        _env_file=None,
        mode="test",
        database_url="postgresql://localhost/none",
        valkey_url="redis://localhost:1",
        temporal_address="localhost:1",
        codec_keys="k1:" + "A" * 43 + "=",
        cognito_issuer="https://issuer",
        cognito_jwks_url="https://issuer/jwks",
        cognito_client_id="web",
        stripe_secret_key="sk_test_x",
        stripe_webhook_secret="whsec_x",
        carrier_webhook_secret="x",
        carrier_api_key="x",
    )
    return create_app(settings)


def _routes(app: FastAPI) -> list[RouteContext]:
    return list(iter_route_contexts(app.routes))


def test_every_route_declares_who_may_call_it(app: FastAPI) -> None:
    routes = _routes(app)
    assert len(routes) > 30
    assert [route.path for route in routes if not isinstance(route.original_route, GuardedRoute)] == []
    assert all(isinstance(route.original_route.rule, Rule) for route in routes)


def test_only_these_routes_are_open(app: FastAPI) -> None:
    by_door: dict[Door, set[tuple[str, str]]] = {door: set() for door in Door}
    for route in _routes(app):
        for method in route.methods or set():
            by_door[route.original_route.rule.door].add((method, str(route.path)))
    assert by_door[Door.ANYONE] == PUBLIC
    assert by_door[Door.SIGNED] == SIGNED


def test_staff_and_owner_rules_are_whole(app: FastAPI) -> None:
    for route in _routes(app):
        rule = route.original_route.rule
        assert rule.door is not Door.STAFF or rule.roles, route.path
        assert (rule.door is Door.OWNER) == (rule.owned is not None), route.path


def test_a_route_without_a_rule_cannot_be_declared() -> None:
    router = guarded_router(tags=["x"])

    async def open_to_all() -> None: ...

    with pytest.raises(MissingRule, match="open_to_all"):
        router.get("/open")(open_to_all)
    router.get("/fine")(allow(anyone())(open_to_all))


def test_an_application_with_an_unguarded_route_does_not_start(app: FastAPI) -> None:
    async def sneaky() -> None: ...

    with pytest.raises(MissingRule, match="/sneaky"):
        check_rules([*app.routes, APIRoute("/sneaky", sneaky)])


def test_routes_are_short_and_raise_no_http_exceptions() -> None:
    for path in ROUTES.glob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= LONGEST, f"{path.name}:{node.name} has {length} lines"
            if isinstance(node, ast.Name):
                assert node.id != "HTTPException", path.name


def test_the_contract_is_valid_openapi_with_unique_operations(app: FastAPI) -> None:
    document = app.openapi()
    OpenAPIV31SpecValidator(document).validate()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    counted = Counter(operation["operationId"] for operation in operations)
    assert [name for name, count in counted.items() if count > 1] == []
    assert all(operation["tags"] for operation in operations)


def test_every_closed_route_tells_of_its_refusal(app: FastAPI) -> None:
    document = app.openapi()
    for route in _routes(app):
        rule = route.original_route.rule
        if rule.door in {Door.ANYONE, Door.SIGNED}:
            continue
        for method in route.methods or set():
            responses = document["paths"][route.path][method.lower()]["responses"]
            assert "application/problem+json" in responses["401"]["content"], route.path
            refused = "403" if rule.door is Door.STAFF else "404"
            assert refused in responses or rule.door is Door.PERSON, route.path


def test_every_route_lists_its_422_as_a_problem(app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            unprocessable = operation["responses"].get("422")
            if unprocessable is not None:
                assert "application/problem+json" in unprocessable["content"], f"{method} {path}"


def test_examples_are_what_their_schemas_say(app: FastAPI) -> None:
    document = app.openapi()
    schemas: dict[str, Any] = document["components"]["schemas"]
    resolved = json.loads(json.dumps(schemas).replace("#/components/schemas/", "#/$defs/"))
    tried = 0
    for schema in resolved.values():
        for described in schema.get("properties", {}).values():
            for example in described.get("examples", []):
                Draft202012Validator({**described, "$defs": resolved}).validate(example)
                tried += 1
    assert tried > 30
    problem = Draft202012Validator({**resolved["ProblemDocument"], "$defs": resolved})
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                content = response.get("content", {}).get("application/problem+json", {})
                for example in content.get("examples", {}).values():
                    problem.validate(example["value"])
