"""Reading products with their variants and prices; the shop's list with its filters and orders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, func, or_, select, tuple_

from commerce.domain.catalogue import Price, Product, ProductQuery, Variant
from commerce.domain.errors import InvalidCursor
from commerce.persistence import cursors
from commerce.persistence.tables.catalogue import prices, products, variants
from commerce.persistence.tables.stock import stock_holds, stock_levels
from commerce.persistence.work import Work

_PRICES = (
    select(
        func.jsonb_agg(
            func.jsonb_build_object(
                *("currency", prices.c.currency, "amount", prices.c.amount),
                *("compare_at", prices.c.compare_at),
            )
        )
    )
    .where(prices.c.sku == variants.c.sku)
    .scalar_subquery()
)


@dataclass(frozen=True)
class _Sort:
    """How a list is sorted: by `column` and then by id; `type` is what a cursor holds of the column."""

    column: Callable[[str], ColumnElement[Any]]
    type: type[str] | type[int]
    descending: bool = False


def _lowest_price(currency: str) -> ColumnElement[Any]:
    return (
        select(func.min(prices.c.amount))
        .join(variants, variants.c.sku == prices.c.sku)
        .where(variants.c.product_id == products.c.id, variants.c.for_sale, prices.c.currency == currency)
        .scalar_subquery()
    )


def _age(_currency: str) -> ColumnElement[Any]:
    """Microseconds, so that a cursor holds it exactly."""
    return func.extract("epoch", products.c.created_at) * 1_000_000


SORTS = {
    "title": _Sort(lambda _: products.c.title, str),
    "-title": _Sort(lambda _: products.c.title, str, descending=True),
    "price": _Sort(_lowest_price, int),
    "-price": _Sort(_lowest_price, int, descending=True),
    "newest": _Sort(_age, int, descending=True),
}
"""The orders a client may ask for, by name."""


async def page_of_products(work: Work, query: ProductQuery) -> tuple[Sequence[Product], str | None]:
    """Two queries. Raises ValueError for an unknown sort, InvalidCursor for a cursor of another list."""
    if query.sort not in SORTS:
        raise ValueError(f"products are not sorted by {query.sort!r}")
    sort = SORTS[query.sort]
    value = sort.column(query.currency)
    keys = (value, products.c.id)
    statement = select(products.c.id, value.label("value")).where(*_filters(query))
    if query.sort in {"price", "-price"}:
        statement = statement.where(value.is_not(None))
    if query.cursor is not None:
        last = tuple_(*_last_seen(query.cursor, query.sort, sort))
        statement = statement.where(tuple_(*keys) < last if sort.descending else tuple_(*keys) > last)
    order = [key.desc() if sort.descending else key.asc() for key in keys]
    rows = await work.rows(statement.order_by(*order).limit(query.limit + 1))
    page = rows[: query.limit]
    found = {product.id: product for product in await products_where(work, products.c.id.in_(_ids(page)))}
    more = None
    if len(rows) > query.limit:
        more = cursors.encode(query.sort, sort.type(page[-1]["value"]), page[-1]["id"])
    return [found[product_id] for product_id in _ids(page)], more


def _ids(rows: Sequence[RowMapping]) -> list[str]:
    return [row["id"] for row in rows]


def _last_seen(cursor: str, name: str, sort: _Sort) -> tuple[str | int, str | int]:
    of, value, product_id = cursors.decode(cursor, str, sort.type, str)
    if of != name:
        raise InvalidCursor("a cursor of a list sorted otherwise")
    return value, product_id


def _filters(query: ProductQuery) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [~products.c.archived]
    of_product = and_(variants.c.product_id == products.c.id, variants.c.for_sale)
    if query.q:
        words = func.websearch_to_tsquery("english", query.q)
        named = select(variants.c.sku).where(of_product, func.lower(variants.c.sku) == query.q.lower())
        wanted.append(or_(products.c.search.op("@@")(words), named.exists()))
    if query.category is not None:
        wanted.append(products.c.categories.contains([query.category]))
    if query.tag is not None:
        wanted.append(products.c.tags.contains([query.tag]))
    if query.min_price is not None or query.max_price is not None:
        priced = (
            select(prices.c.sku)
            .join(variants, variants.c.sku == prices.c.sku)
            .where(
                of_product,
                prices.c.currency == query.currency,
                prices.c.amount >= (query.min_price or 0),
            )
        )
        if query.max_price is not None:
            priced = priced.where(prices.c.amount <= query.max_price)
        wanted.append(priced.exists())
    if query.in_stock is not None:
        stocked = select(variants.c.sku).where(of_product, _available() > 0).exists()
        wanted.append(stocked if query.in_stock else ~stocked)
    return wanted


def _available() -> ColumnElement[int]:
    free = (
        select(func.coalesce(func.sum(stock_levels.c.on_hand - stock_levels.c.allocated), 0))
        .where(stock_levels.c.sku == variants.c.sku)
        .scalar_subquery()
    )
    held = (
        select(func.coalesce(func.sum(stock_holds.c.quantity), 0))
        .where(stock_holds.c.sku == variants.c.sku, stock_holds.c.expires_at > func.clock_timestamp())
        .scalar_subquery()
    )
    available: ColumnElement[int] = free - held
    return available


async def products_where(work: Work, *wanted: ColumnElement[bool]) -> list[Product]:
    """By one query; variants that are not for sale are left out."""
    sold = (
        select(
            func.jsonb_agg(
                func.jsonb_build_object(
                    *("sku", variants.c.sku, "options", variants.c.options),
                    *("tax_class", variants.c.tax_class, "position", variants.c.position),
                    *("prices", _PRICES),
                )
            )
        )
        .where(variants.c.product_id == products.c.id, variants.c.for_sale)
        .scalar_subquery()
    )
    rows = await work.rows(select(products, sold.label("variants")).where(*wanted))
    return [_product_of(row) for row in rows]


def _product_of(row: RowMapping) -> Product:
    sold = sorted(row["variants"] or [], key=lambda variant: int(variant["position"]))
    return Product(
        id=row["id"],
        slug=row["slug"],
        title=row["title"],
        variants=[
            Variant(
                sku=variant["sku"],
                prices=sorted(
                    (Price(**price) for price in variant["prices"] or []), key=lambda price: price.currency
                ),
                options=variant["options"],
                tax_class=variant["tax_class"],
            )
            for variant in sold
        ],
        description=row["description"],
        categories=row["categories"],
        tags=row["tags"],
        archived=row["archived"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
