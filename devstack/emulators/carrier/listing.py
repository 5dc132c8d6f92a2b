"""EasyPost's pages: newest first, `page_size` at most 100, `before_id` and `after_id` exclusive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from devstack.emulators.carrier.errors import FieldError, invalid


class _Listed(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Listed)

_DEFAULT_SIZE, _MAX_SIZE = 20, 100


@dataclass(frozen=True)
class Page(Generic[T]):
    items: Sequence[T]
    has_more: bool


def page(oldest_first: Sequence[T], query: Mapping[str, str]) -> Page[T]:
    """Raises Refusal for a page size that is none; an unknown id gives an empty page."""
    items = list(reversed(oldest_first))
    size = _size(query)
    before, after = query.get("before_id"), query.get("after_id")
    if before is not None:
        place = next((index for index, item in enumerate(items) if item.id == before), len(items))
        items = items[place + 1 :]
    if after is not None:
        place = next((index for index, item in enumerate(items) if item.id == after), 0)
        items = items[:place]
        return Page(items[-size:], len(items) > size)
    return Page(items[:size], len(items) > size)


def _size(query: Mapping[str, str]) -> int:
    given = query.get("page_size", str(_DEFAULT_SIZE))
    if not given.isdigit() or not 1 <= int(given) <= _MAX_SIZE:
        fault = FieldError("page_size", f"must be between 1 and {_MAX_SIZE}")
        raise invalid("PARAMETERS.INVALID", "One or more parameters were invalid.", [fault])
    return int(given)
