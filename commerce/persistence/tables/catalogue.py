"""Products, prices, warehouses, shipping and tax rates."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, Named, Table, Text, TypedColumns
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

from commerce.persistence.tables import metadata


class ProductColumns(TypedColumns):
    id: Named[str]
    slug: Named[str]
    title: Named[str]
    description: Named[str]
    categories: Named[list[str]] = Column(ARRAY(Text))
    tags: Named[list[str]] = Column(ARRAY(Text))
    archived: Named[bool]
    version: Named[int]
    created_at: Named[datetime] = Column(DateTime(timezone=True))
    updated_at: Named[datetime] = Column(DateTime(timezone=True))
    search: Named[str] = Column(TSVECTOR)


class VariantColumns(TypedColumns):
    """`for_sale` is false for a variant that its product no longer has."""

    sku: Named[str]
    product_id: Named[str]
    position: Named[int]
    options: Named[dict[str, str]] = Column(JSONB)
    tax_class: Named[str]
    for_sale: Named[bool]


class PriceColumns(TypedColumns):
    sku: Named[str]
    currency: Named[str]
    amount: Named[int] = Column(BigInteger)
    compare_at: Named[int | None] = Column(BigInteger)


class ShippingMethodColumns(TypedColumns):
    code: Named[str]
    title: Named[str]


class ShippingRateColumns(TypedColumns):
    method: Named[str]
    country: Named[str]
    currency: Named[str]
    amount: Named[int] = Column(BigInteger)
    per_units: Named[int | None]


class TaxRateColumns(TypedColumns):
    country: Named[str]
    tax_class: Named[str]
    basis_points: Named[int]


class WarehouseColumns(TypedColumns):
    code: Named[str]
    name: Named[str]


products = Table("products", metadata, ProductColumns)
variants = Table("variants", metadata, VariantColumns)
prices = Table("prices", metadata, PriceColumns)
shipping_methods = Table("shipping_methods", metadata, ShippingMethodColumns)
shipping_rates = Table("shipping_rates", metadata, ShippingRateColumns)
tax_rates = Table("tax_rates", metadata, TaxRateColumns)
warehouses = Table("warehouses", metadata, WarehouseColumns)
