"""Public shapes of products and stock."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.base import (
    Currency,
    Input,
    Line,
    Moment,
    Money,
    MoneyInput,
    Output,
    Prose,
    Sku,
    Word,
)

SLUG_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Slug = Annotated[str, Field(pattern=SLUG_PATTERN, max_length=128, examples=["white-hanging-heart"])]
Label = Annotated[Word, Field(max_length=64)]


class VariantInput(Input):
    """`price` is the one price or a list with one per currency."""

    sku: Sku
    options: dict[Label, Label] = Field(default_factory=dict, max_length=10)
    price: MoneyInput | list[MoneyInput]
    compare_at_price: MoneyInput | None = None
    tax_class: Label = "standard"

    @property
    def prices(self) -> list[MoneyInput]:
        return self.price if isinstance(self.price, list) else [self.price]

    @model_validator(mode="after")
    def _currencies_differ(self) -> "VariantInput":
        codes = [price.currency for price in self.prices]
        if not codes or len(set(codes)) != len(codes):
            raise PydanticCustomError("price-currencies", "exactly one price per currency")
        if self.compare_at_price and self.compare_at_price.currency not in codes:
            raise PydanticCustomError("price-currencies", "compare_at_price has no price in its currency")
        return self


def _unique_skus(variants: list[VariantInput]) -> list[VariantInput]:
    skus = [variant.sku for variant in variants]
    if len(set(skus)) != len(skus):
        raise PydanticCustomError("sku-twice", "each SKU once")
    return variants


Variants = Annotated[list[VariantInput], Field(min_length=1, max_length=250), AfterValidator(_unique_skus)]
Labels = Annotated[list[Label], Field(max_length=50)]


class ProductWrite(Input):
    slug: Slug
    title: Word = Field(max_length=200, examples=["White hanging heart T-light holder"])
    description: Prose = Field("", max_length=20_000)
    categories: Labels = Field(default_factory=list)
    tags: Labels = Field(default_factory=list)
    variants: Variants


class ProductPatch(Input):
    """A JSON merge patch (RFC 7386): what is left out stays, null resets, lists are replaced whole."""

    slug: Slug | None = None
    title: Word | None = Field(None, max_length=200)
    description: Prose | None = Field(None, max_length=20_000)
    categories: Labels | None = None
    tags: Labels | None = None
    variants: Variants | None = None


class VariantView(Output):
    """`price` is in the currency asked for (null if there is none), `prices` has them all."""

    sku: str
    options: dict[str, str]
    price: Money | None
    compare_at_price: Money | None
    prices: list[Money]
    tax_class: str
    available: int


class ImageView(Output):
    image_id: str
    url: str


class RatingView(Output):
    average: float | None = None
    count: int = 0


class ProductView(Output):
    id: str
    slug: str
    title: str
    description: str
    categories: list[str]
    tags: list[str]
    variants: list[VariantView]
    images: list[ImageView] = Field(default_factory=list)
    rating: RatingView = Field(default_factory=RatingView)
    archived: bool
    version: int
    created_at: Moment | None
    updated_at: Moment | None


class ProductFilter(Input):
    """Query parameters of the product list; prices are minor units of `currency`."""

    q: Line | None = Field(None, min_length=1, max_length=200)
    category: Line | None = Field(None, min_length=1, max_length=64)
    tag: Line | None = Field(None, min_length=1, max_length=64)
    in_stock: bool | None = None
    min_price: int | None = Field(None, ge=0, le=10**12)
    max_price: int | None = Field(None, ge=0, le=10**12)
    currency: Currency = "GBP"
    sort: str = Field("title", pattern="^(-?title|-?price|newest)$")
    cursor: Line | None = Field(None, max_length=512)
    limit: int = Field(20, ge=1, le=100)


class WarehouseView(Output):
    warehouse: str
    on_hand: int
    allocated: int


class StockView(Output):
    """`available = on_hand - allocated - held`; `held` counts live holds only."""

    sku: str
    on_hand: int
    allocated: int
    held: int
    available: int
    per_warehouse: list[WarehouseView]


class MovementCreate(Input):
    warehouse: Label = Field(examples=["main"])
    delta: int = Field(strict=True, ge=-1_000_000, le=1_000_000, examples=[24])
    reason: Word = Field(max_length=200, examples=["Delivery of 1 December"])

    @model_validator(mode="after")
    def _moves_something(self) -> "MovementCreate":
        if self.delta == 0:
            raise PydanticCustomError("invalid-quantity", "a movement of nothing")
        return self


class MovementView(Output):
    id: str
    sku: str
    warehouse: str
    kind: str
    on_hand_delta: int
    allocated_delta: int
    reason: str
    order_id: str | None
    at: Moment
