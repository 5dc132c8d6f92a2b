"""OpenAPI's descriptions of what can go wrong, made of the problem classes themselves."""

from typing import Any

from api.errors import Problem
from api.problems import MEDIA_TYPE

_SCHEMA = {"$ref": "#/components/schemas/ProblemDocument"}
Responses = dict[int | str, dict[str, Any]]


def problems(*kinds: type[Problem]) -> Responses:
    """`responses=` of a route: one entry per status, with an example per problem."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        entry = by_status.setdefault(
            kind.status,
            {"description": "", "content": {MEDIA_TYPE: {"schema": _SCHEMA, "examples": {}}}},
        )
        entry["description"] = "; ".join(part for part in (entry["description"], kind.title) if part)
        entry["content"][MEDIA_TYPE]["examples"][kind.slug] = {"value": _example(kind)}
    return by_status


def _example(kind: type[Problem]) -> dict[str, object]:
    return {
        "type": f"https://shop.example/problems/{kind.slug}",
        "title": kind.title,
        "status": kind.status,
    }
