"""Fills a migrated database with the demonstration shop. What is there already stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, create_engine, pool
from sqlalchemy.dialects.postgresql import insert

from commerce.contracts.context import SYSTEM_ACTOR
from commerce.persistence.engine import sqlalchemy_url
from commerce.persistence.tables import catalogue, stock
from devstack.assortment import Article, articles, euros
from devstack.orderbook import purchases, read_orderbook

MAIN, NORTH = "main", "north"
SPARE_PIECES = {MAIN: 1000, NORTH: 250}
"""Pieces of each SKU at the opening; the main warehouse has the morning's purchases on top."""

_SENT_BY_WEIGHT = 150
"""Pieces per parcel price: makes the postage of the book's French (446 pieces, 3 × 18.00) and Dutch
(96 pieces, 1 × 15.00) invoices come out."""
_METHODS = {"standard": "Standard delivery", "express": "Express delivery"}
_RATES: Sequence[tuple[str, str, int, int | None]] = (
    ("standard", "GB", 0, None),
    ("standard", "FR", 1800, _SENT_BY_WEIGHT),
    ("standard", "NL", 1500, _SENT_BY_WEIGHT),
    ("standard", "AU", 2500, _SENT_BY_WEIGHT),
    ("standard", "*", 2000, _SENT_BY_WEIGHT),
    ("express", "GB", 495, None),
    ("express", "FR", 2900, _SENT_BY_WEIGHT),
    ("express", "NL", 2500, _SENT_BY_WEIGHT),
    ("express", "AU", 4500, _SENT_BY_WEIGHT),
    ("express", "*", 3500, _SENT_BY_WEIGHT),
)
"""Method, country, pence, pieces per price."""
_TAX: Mapping[str, int] = {"GB": 2000, "FR": 2000, "NL": 2100, "AU": 1000, "*": 0}
"""Basis points of the standard rate; goods sent to any other country leave untaxed."""


@dataclass(frozen=True)
class SeedReport:
    """What was added; all zero for a shop that was seeded before."""

    products: int
    prices: int
    movements: int
    pieces: int


def seed(url: str) -> SeedReport:
    """Blocks for about a second. `url` is of the owner or the app role; one transaction."""
    assortment = articles(purchases(read_orderbook()))
    engine = create_engine(sqlalchemy_url(url), poolclass=pool.NullPool)
    with engine.begin() as connection:
        _add_terms(connection)
        products, prices = _add_products(connection, assortment)
        movements = _add_stock(connection, assortment)
    return SeedReport(products, prices, len(movements), sum(movements))


def _add_terms(connection: Connection) -> None:
    """Warehouses, shipping, taxes."""
    _add(
        connection,
        catalogue.warehouses,
        [{"code": MAIN, "name": "Main warehouse"}, {"code": NORTH, "name": "Northern warehouse"}],
    )
    _add(
        connection,
        catalogue.shipping_methods,
        [{"code": code, "title": title} for code, title in _METHODS.items()],
    )
    rates = [
        {"method": method, "country": country, "currency": currency, "amount": amount, "per_units": units}
        for method, country, pence, units in _RATES
        for currency, amount in (("GBP", pence), ("EUR", euros(pence)))
    ]
    _add(connection, catalogue.shipping_rates, rates)
    taxes = [
        {"country": country, "tax_class": "standard", "basis_points": rate} for country, rate in _TAX.items()
    ]
    _add(connection, catalogue.tax_rates, taxes)


def _add_products(connection: Connection, assortment: Sequence[Article]) -> tuple[int, int]:
    products = [
        {
            "id": article.product_id,
            "slug": article.slug,
            "title": article.title,
            "categories": [article.category],
            "tags": article.tags,
        }
        for article in assortment
    ]
    variants = [
        {"sku": article.sku, "product_id": article.product_id, "position": 0} for article in assortment
    ]
    prices = [
        {"sku": article.sku, "currency": currency, "amount": amount}
        for article in assortment
        for currency, amount in (("GBP", article.pounds), ("EUR", article.euros))
    ]
    added = _add(connection, catalogue.products, products)
    _add(connection, catalogue.variants, variants)
    return added, _add(connection, catalogue.prices, prices)


def _add_stock(connection: Connection, assortment: Sequence[Article]) -> list[int]:
    """Answers the pieces of each new movement; the levels follow by the movements' trigger."""
    _add(connection, stock.stock_items, [{"sku": article.sku} for article in assortment])
    movements = [
        {
            "id": f"mov_opening_{warehouse}_{article.sku}",
            "key": f"opening:{article.sku}:{warehouse}",
            "sku": article.sku,
            "warehouse": warehouse,
            "kind": "receipt",
            "on_hand_delta": spare + (article.bought if warehouse == MAIN else 0),
            "allocated_delta": 0,
            "reason": "opening stock",
            "actor": SYSTEM_ACTOR,
            "request_id": "seed",
        }
        for article in sorted(assortment, key=lambda article: article.sku)
        for warehouse, spare in SPARE_PIECES.items()
    ]
    moved = stock.stock_movements
    statement = insert(moved).values(movements).on_conflict_do_nothing().returning(moved.c.on_hand_delta)
    return list(connection.scalars(statement))


def _add(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> int:
    statement = insert(table).values(rows).on_conflict_do_nothing()
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
