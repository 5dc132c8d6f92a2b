"""Opaque cursors of paged lists: the sort values of the last row that was given out."""

import base64
import binascii
import json
from datetime import datetime

from commerce.domain.errors import InvalidCursor


def encode(*values: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def decode(cursor: str, *types: type[str] | type[int]) -> list[str | int]:
    """Raises InvalidCursor unless it holds values of exactly these types."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor("not a cursor of this list") from error
    if not isinstance(values, list) or [type(value) for value in values] != list(types):
        raise InvalidCursor("not a cursor of this list")
    return values


def encode_age(created_at: datetime, object_id: str) -> str:
    return encode(created_at.isoformat(), object_id)


def decode_age(cursor: str) -> tuple[datetime, str]:
    created_at, object_id = decode(cursor, str, str)
    try:
        return datetime.fromisoformat(str(created_at)), str(object_id)
    except ValueError as error:
        raise InvalidCursor("not a cursor of this list") from error


def decode_seq(cursor: str) -> int:
    (seq,) = decode(cursor, int)
    return int(seq)
