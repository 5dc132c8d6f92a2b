"""Stripe's form encoding (`a[b]=1&c[]=2`), read with the checks and the messages of the API."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import parse_qsl

from devstack.emulators.stripe.errors import ApiError, missing_param

Value: TypeAlias = "str | list[Value] | dict[str, Value]"

_PART = re.compile(r"[^\[\]]+|(?<=\[)(?=\])")
MAX_METADATA_KEYS, MAX_METADATA_KEY, MAX_METADATA_VALUE = 50, 40, 500


def decode(encoded: str) -> dict[str, Value]:
    root: dict[str, Value] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        parts = _PART.findall(name)
        if parts:
            _place(root, parts, value)
    return {name: _as_list(value) for name, value in root.items()}


def _place(root: dict[str, Value], parts: Sequence[str], value: str) -> None:
    """Arrays are gathered as maps from index to value first."""
    node = root
    for part in parts[:-1]:
        child = node.setdefault(part, {})
        if not isinstance(child, dict):
            raise ApiError("Invalid request: a parameter is both a value and a map.", param=parts[0])
        node = child
    last = parts[-1] or str(len(node))
    node[last] = value


def _as_list(value: Value) -> Value:
    if not isinstance(value, dict):
        return value
    if value and list(value) == [str(index) for index in range(len(value))]:
        return [_as_list(item) for item in value.values()]
    return {name: _as_list(item) for name, item in value.items()}


class Params:
    """Parameters of one call. Every reader raises ApiError naming the parameter."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.values = dict(values)

    def only(self, *known: str) -> None:
        for name in self.values:
            if name not in known and name != "expand":
                raise ApiError(f"Received unknown parameter: {name}", "parameter_unknown", name)

    def has(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str | None:
        """None where it is absent or sent empty, which unsets it."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise ApiError("Invalid string: must be a string", param=name)
        return value

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"-?\d{1,18}", value):
            raise ApiError(f"Invalid integer: {value}", "parameter_invalid_integer", name)
        return int(value)

    def positive(self, name: str) -> int | None:
        value = self.integer(name)
        if value is not None and value < 1:
            message = "This value must be greater than or equal to 1."
            raise ApiError(message, "parameter_invalid_integer", name)
        return value

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value is None:
            return None
        if value not in {"true", "false"}:
            raise ApiError(f"Invalid boolean: {value}", param=name)
        return value == "true"

    def choice(self, name: str, allowed: Sequence[str]) -> str | None:
        value = self.text(name)
        if value is not None and value not in allowed:
            raise ApiError(f"Invalid {name}: must be one of {', '.join(allowed)}", param=name)
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise missing_param(name)
        return value

    def texts(self, name: str) -> list[str]:
        value = self.values.get(name, [])
        if isinstance(value, str):
            value = [value] if value else []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ApiError("Invalid array", param=name)
        return [item for item in value if isinstance(item, str)]

    def group(self, name: str) -> "Params | None":
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, list):
            value = {str(index): item for index, item in enumerate(value)}
        if not isinstance(value, dict):
            raise ApiError("Invalid object", param=name)
        return Params(value)

    def merge_metadata(self, current: Mapping[str, str]) -> dict[str, str]:
        """A key sent empty is removed; `metadata` itself sent empty removes them all."""
        if self.values.get("metadata") == "":
            return {}
        group = self.group("metadata")
        merged = dict(current)
        for key, value in (group.values if group else {}).items():
            if not isinstance(value, str):
                raise ApiError("Metadata values must be strings", param=f"metadata[{key}]")
            if len(key) > MAX_METADATA_KEY or len(value) > MAX_METADATA_VALUE:
                message = "Metadata keys can have up to 40 characters, values up to 500"
                raise ApiError(message, param=f"metadata[{key}]")
            merged[key] = value
        kept = {key: value for key, value in merged.items() if value != ""}
        if len(kept) > MAX_METADATA_KEYS:
            raise ApiError("Metadata can have up to 50 keys", param="metadata")
        return kept
