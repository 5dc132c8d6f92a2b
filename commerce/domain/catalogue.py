"""Products, prices and what a parcel costs to send. Amounts in minor units, rates in basis points."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Price:
    currency: str
    amount: int
    compare_at: int | None = None


@dataclass(frozen=True)
class Variant:
    sku: str
    prices: list[Price]
    options: dict[str, str] = field(default_factory=dict)
    tax_class: str = "standard"


@dataclass(frozen=True)
class Product:
    """`version` counts writes and is the ETag; an archived product is kept for the orders that name it."""

    id: str
    slug: str
    title: str
    variants: list[Variant]
    description: str = ""
    categories: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    archived: bool = False
    version: int = 1
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class ProductQuery:
    """`q` matches title, description and SKU; prices bound the variant's price in `currency`."""

    q: str | None = None
    category: str | None = None
    tag: str | None = None
    in_stock: bool | None = None
    min_price: int | None = None
    max_price: int | None = None
    currency: str = "GBP"
    sort: str = "title"
    cursor: str | None = None
    limit: int = 20


@dataclass(frozen=True)
class PricedSku:
    """What pricing needs of a SKU that is for sale in a currency."""

    sku: str
    product_id: str
    title: str
    unit_price: int
    tax_class: str


@dataclass(frozen=True)
class ShippingRate:
    """`amount` is charged once per started `per_units` pieces, or once in all when that is None."""

    method: str
    title: str
    currency: str
    amount: int
    per_units: int | None = None
