"""JSON values as types: covariant, so that a `dict[str, str]` is one too."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


class BadInput(ValueError):
    """A control request that makes no sense; its text is shown to the caller."""


def as_object(value: JSON) -> Mapping[str, JSON]:
    if isinstance(value, Mapping):
        return value
    raise BadInput("expected a JSON object")


def number(body: Mapping[str, JSON], name: str, default: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise BadInput(f"{name} must be a number, 0 or more")
    return float(value)


def integer(body: Mapping[str, JSON], name: str, default: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(f"{name} must be an integer")
    return value


def text(body: Mapping[str, JSON], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise BadInput(f"{name} must be a string")
    return value
