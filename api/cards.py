"""Finds what looks like a card number, so that it is refused and never stored or logged."""

import re

from starlette.requests import Request

from api.errors import CardNumberRefused, Fault
from api.problems import pointer_of
from api.schemas.base import ID_PATTERN

_DIGIT_RUN = re.compile(r"\d(?:[\s.\-\u2010-\u2015]{0,2}\d)*")
_OWN_ID = re.compile(ID_PATTERN)
_LENGTHS = range(13, 20)


async def refuse_card_numbers(request: Request) -> None:
    """Raises CardNumberRefused, which says where and never what. A body that is no JSON is left alone."""
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        return
    places = list(_places(body, []))
    if places:
        detail = "this looks like a card number"
        raise CardNumberRefused(faults=[Fault(detail, place) for place in places])


def _places(value: object, path: list[str | int]) -> list[str]:
    match value:
        case dict():
            found = [pointer_of(path)] if any(looks_like_card(str(key)) for key in value) else []
            return found + [place for key, item in value.items() for place in _places(item, [*path, key])]
        case list():
            return [place for index, item in enumerate(value) for place in _places(item, [*path, index])]
        case bool() | None:
            return []
        case _:
            return [] if _is_phone(path, value) or not looks_like_card(str(value)) else [pointer_of(path)]


def _is_phone(path: list[str | int], value: object) -> bool:
    """An international number may be as long as a card's and pass its check by chance."""
    return path[-1:] == ["phone"] and str(value).startswith("+") and len(str(value)) <= 20


def looks_like_card(text: str) -> bool:
    """13 to 19 digits, however grouped, with a right check digit (ISO/IEC 7812, Luhn)."""
    if _OWN_ID.fullmatch(text):
        return False
    for run in _DIGIT_RUN.findall(text):
        digits = [int(char) for char in run if char.isdecimal()]
        if len(digits) in _LENGTHS and _luhn(digits):
            return True
    return False


def _luhn(digits: list[int]) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0 and any(digits)
