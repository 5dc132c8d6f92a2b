"""Types that all public shapes are made of."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic_core import PydanticCustomError

from commerce.contracts import money as contracts

MAX_AMOUNT = 100_000_000_000
MAX_QUANTITY = 10_000
ID_PATTERN = r"^[a-z]{2,5}_[0-9a-z]{1,64}$"
SKU_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_PASSABLE = {"\n", "\t"}


class Input(BaseModel):
    """What clients send: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Output(BaseModel):
    """What clients get."""

    model_config = ConfigDict(frozen=True)


def _storable(text: str) -> str:
    for char in text:
        if char not in _PASSABLE and unicodedata.category(char) in {"Cc", "Cs"}:
            raise PydanticCustomError("invalid-text", "control characters cannot be stored")
    return text.strip()


def _single_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise PydanticCustomError("invalid-text", "one line only")
    return text


def _not_empty(text: str) -> str:
    if not text:
        raise PydanticCustomError("string_too_short", "must not be empty")
    return text


Prose = Annotated[str, AfterValidator(_storable)]
Line = Annotated[str, AfterValidator(_storable), AfterValidator(_single_line)]
Word = Annotated[str, AfterValidator(_storable), AfterValidator(_single_line), AfterValidator(_not_empty)]
"""A line that says something."""


def _currency(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch("[A-Z]{3}", value):
        return value
    raise PydanticCustomError("unsupported-currency", "an ISO 4217 code in capitals")


def _quantity(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_QUANTITY:
        return value
    raise PydanticCustomError("invalid-quantity", "a whole number from 1 to {most}", {"most": MAX_QUANTITY})


Currency = Annotated[str, BeforeValidator(_currency), Field(pattern="^[A-Z]{3}$", examples=["GBP"])]
Quantity = Annotated[int, BeforeValidator(_quantity), Field(ge=1, le=MAX_QUANTITY, examples=[2])]
Amount = Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT, examples=[1999])]
Sku = Annotated[str, Field(pattern=SKU_PATTERN, examples=["85123A"])]
Id = Annotated[str, Field(pattern=ID_PATTERN)]


def _zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(_zulu, when_used="json")]
"""RFC 3339 in UTC."""


class Money(Output):
    """Integer minor units (pence, cents, yen) of an ISO 4217 currency."""

    amount: int = Field(examples=[1999])
    currency: str = Field(examples=["GBP"])

    @classmethod
    def of(cls, amount: int, currency: str) -> "Money":
        return cls(amount=amount, currency=currency)


class MoneyInput(Input):
    amount: Amount
    currency: Currency

    def money(self) -> contracts.Money:
        return contracts.Money(self.amount, self.currency)


T = TypeVar("T")


class Page(Output, Generic[T]):
    """`next_cursor` is opaque; null on the last page."""

    items: list[T]
    next_cursor: str | None = None


class ProblemFault(Output):
    model_config = ConfigDict(extra="allow")

    detail: str = Field(examples=["a whole number from 1 to 10000"])
    pointer: str = Field(examples=["/quantity"])


class ProblemDocument(Output):
    """RFC 9457. `type` ends in a slug that stays; `errors` names the fields at fault."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["https://shop.example/problems/invalid-request"])
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    errors: list[ProblemFault] | None = None
