"""Query parameters of lists."""

from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator

from api.schemas.base import Line

CursorQuery = Annotated[Line | None, Query(max_length=512, description="`next_cursor` of the page before.")]
LimitQuery = Annotated[int, Query(ge=1, le=100)]


def _word(text: str | None) -> str | None:
    return text or None


FilterQuery = Annotated[Line | None, Query(max_length=128), AfterValidator(_word)]
