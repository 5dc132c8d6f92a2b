"""The published OpenAPI document: FastAPI's, with our problems, who may call, and 3.1's own words."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from api.docs import problems
from api.errors import InvalidRequest
from api.guard import GuardedRoute
from api.policy import Door, Rule
from api.schemas.base import ProblemDocument

_DESCRIPTIONS = {
    Door.ANYONE: "anyone",
    Door.SIGNED: "the provider, by its signature",
    Door.PERSON: "every signed-in person, for what is theirs",
    Door.STAFF: "staff",
    Door.OWNER: "the owner",
}
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Access token of the user pool."},
    "cart_token": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Cart-Token",
        "description": "A guest's key to a cart and to the order that came of it.",
    },
}


def publish(app: FastAPI) -> None:
    """Makes `app.openapi()` answer the published document; it is built once."""
    built: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not built:
            built.update(_document(app))
        return built

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    components = document["components"]
    for generated in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(generated, None)
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"] |= problem.pop("$defs", {}) | {"ProblemDocument": problem}
    components["securitySchemes"] = _SCHEMES
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, GuardedRoute) and context.path in document["paths"]:
            for method in context.methods or set():
                _finish(document["paths"][context.path][method.lower()], route.rule)
    return document


def _finish(operation: dict[str, Any], rule: Rule) -> None:
    responses = operation["responses"]
    if "application/json" in responses.get("422", {}).get("content", {}):
        responses["422"] = problems(InvalidRequest)[422]
    stream = responses.get("200", {}).get("content", {}).get("text/event-stream")
    if stream is not None:
        stream["schema"] = {"type": "string"}
        stream.pop("itemSchema", None)
    who = _DESCRIPTIONS[rule.door]
    roles = ", ".join(sorted(rule.roles))
    allowed = f"{who}; everybody's: {roles}" if roles and rule.door is not Door.STAFF else roles or who
    operation["description"] = f"{operation.get('description', '')}\n\nAllowed: {allowed}.".strip()
    if rule.door in {Door.PERSON, Door.STAFF}:
        operation["security"] = [{"bearer": []}]
    elif rule.door is Door.OWNER or (rule.door is Door.ANYONE and rule.identify):
        operation["security"] = [{"bearer": []}, {"cart_token": []}]
