"""The demonstration shop on a migrated database."""

import time

import psycopg

from commerce.domain.carts import CartItem
from commerce.domain.pricing import price_cart
from commerce.persistence.database import SqlDatabase
from devstack.orderbook import purchases, read_orderbook
from devstack.seed import SeedReport, seed
from devstack.testing import Database


async def test_seed_fills_the_shop_once_and_fast(
    database: Database, empty: SqlDatabase, owner: psycopg.Connection
) -> None:
    started = time.process_time()
    assert seed(database.owner_url) == SeedReport(products=615, prices=1230, movements=1230, pieces=781_743)
    assert time.process_time() - started < 2
    owner.execute("UPDATE prices SET amount = 1 WHERE sku = '85123A' AND currency = 'GBP'")
    owner.commit()
    assert seed(database.app_url) == SeedReport(products=0, prices=0, movements=0, pieces=0)
    async with empty.reading() as tx:
        assert await tx.catalogue.currencies() == {"GBP", "EUR"}
        assert (await tx.catalogue.priced(["85123A"], "GBP"))["85123A"].unit_price == 1
        assert all(result.ok for result in await tx.invariants.check())


async def test_every_good_has_a_thousand_pieces_more_than_the_morning_takes(
    database: Database, empty: SqlDatabase
) -> None:
    seed(database.app_url)
    wanted: dict[str, int] = {}
    for invoice in purchases(read_orderbook()):
        for sku, pieces in invoice.pieces.items():
            wanted[sku] = wanted.get(sku, 0) + pieces
    async with empty.reading() as tx:
        levels = await tx.stock.levels(list(wanted))
    assert len(levels) == len(wanted) == 615
    for sku, level in levels.items():
        in_main = {part.warehouse: part.on_hand for part in level.per_warehouse}
        assert in_main == {"main": wanted[sku] + 1000, "north": 250}


async def test_the_books_postage_comes_out(database: Database, empty: SqlDatabase) -> None:
    seed(database.app_url)
    charged = {}
    async with empty.reading() as tx:
        for invoice in purchases(read_orderbook()):
            items = [CartItem(sku, pieces) for sku, pieces in invoice.pieces.items()]
            priced = await tx.catalogue.priced(list(invoice.pieces), "GBP")
            rate = await tx.catalogue.shipping_rate("standard", invoice.country, "GBP")
            taxes = await tx.catalogue.tax_rates(invoice.country)
            cart = price_cart(items, priced, taxes, rate, currency="GBP")
            charged[invoice.number] = (cart.totals.shipping, invoice.postage)
            assert cart.totals.total > 0
    assert charged.pop("536389") == (2500, 0), "the book sent to Australia without naming postage"
    assert {number: pair for number, pair in charged.items() if any(pair)} == {
        "536370": (5400, 5400),
        "536403": (1500, 1500),
    }
