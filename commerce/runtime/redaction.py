"""Keeps people's data and secrets out of logs: by the name of a field, and by the look of a text.

It errs on the side of hiding: a number that happens to look like a card's is hidden too.
"""

import re
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from typing import TypeAlias

from pydantic import BaseModel

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"

HIDDEN = "[redacted]"

_WORDS = frozenset(
    {
        *("address", "addresses", "authorization", "cookie", "credentials", "email", "passwd", "password"),
        *("phone", "recipient", "secret", "secrets", "signature", "token", "tokens"),
    }
)
"""A field is hidden when one of these is a word of its name, as in `client_secret` or `shipping_address`."""
_NAMES = frozenset(
    {
        *("api_key", "apikey", "card_number", "city", "company", "first_name", "full_name", "last_name"),
        *("line1", "line2", "name", "pan", "postal_code", "postcode", "to"),
    }
)
_DEEPEST = 8

_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<=://)[^\s/@:]+:[^\s/@]+(?=@)",
        r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
        r"\b(?:sk|rk|pk)_(?:live|test|dev)_\w+",
        r"\bwhsec_\w+",
        r"\b(?:pi|seti)_\w+_secret_\w+",
        r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]{6,}",
        r"\beyJ[\w-]+\.[\w-]+\.[\w-]*",
    )
)
_DIGITS = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")


def redact(value: object, depth: int = 0) -> Plain:
    """A copy fit for a log, made of JSON's types; what is none of them is shown as its text."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return HIDDEN if _is_card(str(value)) else int(value)
    if isinstance(value, str):
        return redact_text(value)
    return HIDDEN if depth >= _DEEPEST else _redact_parts(value, depth)


def _redact_parts(value: object, depth: int) -> Plain:
    if isinstance(value, Mapping):
        return {str(key): redact_field(str(key), item, depth) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {
            item.name: redact_field(item.name, getattr(value, item.name), depth) for item in fields(value)
        }
    if isinstance(value, BaseModel):
        return {key: redact_field(key, item, depth) for key, item in value}
    if isinstance(value, list | tuple | Set):
        return [redact(item, depth + 1) for item in value]
    return redact_text(str(value))


def redact_field(name: str, value: object, depth: int = 0) -> Plain:
    if value is not None and is_sensitive(name):
        return HIDDEN
    return redact(value, depth + 1)


def redact_text(text: str) -> str:
    for pattern in _PATTERNS:
        text = pattern.sub(HIDDEN, text)
    return _DIGITS.sub(lambda match: HIDDEN if _is_card(match[0]) else match[0], text)


def is_sensitive(name: str) -> bool:
    lowered = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")
    return lowered in _NAMES or not _WORDS.isdisjoint(lowered.split("_"))


def _is_card(text: str) -> bool:
    """13 to 19 digits with a valid Luhn sum."""
    digits = [int(character) for character in text if character.isdigit()]
    if not 13 <= len(digits) <= 19 or text.startswith("-"):
        return False
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0
