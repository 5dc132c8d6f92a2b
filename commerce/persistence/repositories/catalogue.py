"""Products, what they cost, and what sending and tax cost."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from commerce.domain.catalogue import PricedSku, Product, ProductQuery, ShippingRate, Variant
from commerce.domain.errors import Conflict, NotFound, StaleVersion
from commerce.persistence.errors import broken_constraint
from commerce.persistence.repositories.products import page_of_products, products_where
from commerce.persistence.tables.catalogue import (
    prices,
    products,
    shipping_methods,
    shipping_rates,
    tax_rates,
    variants,
)
from commerce.persistence.tables.stock import stock_items
from commerce.persistence.work import Work

ANYWHERE = "*"


class SqlCatalogue:
    def __init__(self, work: Work) -> None:
        self._work = work

    async def get(self, product_id: str) -> Product:
        found = await products_where(
            self._work, or_(products.c.id == product_id, products.c.slug == product_id)
        )
        if not found:
            raise NotFound("product", product_id)
        return found[0]

    async def list(self, query: ProductQuery) -> tuple[Sequence[Product], str | None]:
        return await page_of_products(self._work, query)

    async def create(self, product: Product) -> Product:
        values = {"id": product.id, **_written(product)}
        try:
            await self._work.run(insert(products).values(values))
        except IntegrityError as error:
            raise _conflict(error, product) from error
        await self._write_variants(product)
        return await self.get(product.id)

    async def replace(self, product: Product, expected_version: int) -> Product:
        await self._claim_version(product.id, expected_version)
        values = {**_written(product), "version": expected_version + 1, "updated_at": func.clock_timestamp()}
        try:
            await self._work.run(update(products).where(products.c.id == product.id).values(values))
        except IntegrityError as error:
            raise _conflict(error, product) from error
        await self._write_variants(product)
        return await self.get(product.id)

    async def archive(self, product_id: str, expected_version: int | None) -> None:
        await self._claim_version(product_id, expected_version)
        await self._work.run(
            update(products)
            .where(products.c.id == product_id)
            .values(archived=True, version=products.c.version + 1, updated_at=func.clock_timestamp())
        )

    async def _claim_version(self, product_id: str, expected: int | None) -> None:
        row = await self._work.first(
            select(products.c.version).where(products.c.id == product_id).with_for_update(key_share=True)
        )
        if row is None:
            raise NotFound("product", product_id)
        if expected is not None and row["version"] != expected:
            raise StaleVersion("product", product_id, expected)

    async def _write_variants(self, product: Product) -> None:
        """A variant that is gone stays for the orders that name it, but is no longer for sale."""
        skus = [variant.sku for variant in product.variants]
        await self._work.run(
            update(variants)
            .where(variants.c.product_id == product.id, variants.c.sku.not_in(skus))
            .values(for_sale=False)
        )
        if not skus:
            return
        written = upsert(variants)
        touched = await self._work.rows(
            written.on_conflict_do_update(
                index_elements=[variants.c.sku],
                set_={
                    name: written.excluded[name] for name in ("position", "options", "tax_class", "for_sale")
                },
                where=variants.c.product_id == product.id,
            )
            .values([_variant_row(product.id, at, variant) for at, variant in enumerate(product.variants)])
            .returning(variants.c.sku)
        )
        if len(touched) != len(skus):
            raise Conflict(f"a SKU of product {product.id} belongs to another product")
        await self._work.run(
            upsert(stock_items).values([{"sku": sku} for sku in skus]).on_conflict_do_nothing()
        )
        await self._write_prices(product.variants, skus)

    async def _write_prices(self, sold: Sequence[Variant], skus: Sequence[str]) -> None:
        await self._work.run(delete(prices).where(prices.c.sku.in_(skus)))
        rows = [
            {
                "sku": variant.sku,
                "currency": price.currency,
                "amount": price.amount,
                "compare_at": price.compare_at,
            }
            for variant in sold
            for price in variant.prices
        ]
        if rows:
            await self._work.run(insert(prices), rows)

    async def priced(self, skus: Sequence[str], currency: str) -> Mapping[str, PricedSku]:
        rows = await self._work.rows(
            select(
                variants.c.sku, variants.c.product_id, products.c.title, prices.c.amount, variants.c.tax_class
            )
            .join(products, products.c.id == variants.c.product_id)
            .join(prices, prices.c.sku == variants.c.sku)
            .where(
                variants.c.sku.in_(skus),
                prices.c.currency == currency,
                variants.c.for_sale,
                ~products.c.archived,
            )
        )
        return {
            row["sku"]: PricedSku(
                row["sku"], row["product_id"], row["title"], row["amount"], row["tax_class"]
            )
            for row in rows
        }

    async def currencies(self) -> frozenset[str]:
        rows = await self._work.rows(select(prices.c.currency).distinct())
        return frozenset(row["currency"] for row in rows)

    async def shipping_rate(self, method: str, country: str, currency: str) -> ShippingRate | None:
        row = await self._work.first(
            select(shipping_rates, shipping_methods.c.title)
            .join(shipping_methods, shipping_methods.c.code == shipping_rates.c.method)
            .where(
                shipping_rates.c.method == method,
                shipping_rates.c.country.in_([country, ANYWHERE]),
                shipping_rates.c.currency == currency,
            )
            .order_by((shipping_rates.c.country == ANYWHERE).asc())
            .limit(1)
        )
        if row is None:
            return None
        return ShippingRate(method, row["title"], currency, row["amount"], row["per_units"])

    async def tax_rates(self, country: str) -> Mapping[str, int]:
        rows = await self._work.rows(
            select(tax_rates)
            .where(tax_rates.c.country.in_([country, ANYWHERE]))
            .order_by((tax_rates.c.country == ANYWHERE).desc())
        )
        return {row["tax_class"]: row["basis_points"] for row in rows}


def _written(product: Product) -> dict[str, object]:
    return {
        "slug": product.slug,
        "title": product.title,
        "description": product.description,
        "categories": product.categories,
        "tags": product.tags,
        "archived": product.archived,
    }


def _variant_row(product_id: str, position: int, variant: Variant) -> dict[str, object]:
    return {
        "sku": variant.sku,
        "product_id": product_id,
        "position": position,
        "options": variant.options,
        "tax_class": variant.tax_class,
        "for_sale": True,
    }


def _conflict(error: IntegrityError, product: Product) -> Exception:
    if broken_constraint(error) == "products_slug_key":
        return Conflict(f"the slug {product.slug} is taken")
    if broken_constraint(error) == "products_pkey":
        return Conflict(f"product {product.id} exists")
    return error
