from dataclasses import replace

import pytest
from integration.persistence.builders import CONTEXT, CUP, TEA, create_order, hold_lines, product

from commerce.domain.catalogue import Price, PricedSku, ProductQuery, ShippingRate, Variant
from commerce.domain.errors import Conflict, InvalidCursor, NotFound, StaleVersion
from commerce.persistence.database import SqlDatabase


async def titles(db: SqlDatabase, **wanted: object) -> list[str]:
    async with db.reading() as tx:
        page, _ = await tx.catalogue.list(ProductQuery(**wanted))  # type: ignore[arg-type]
    return [found.title for found in page]


async def test_a_product_is_read_as_it_was_written(db: SqlDatabase) -> None:
    wanted = replace(
        product("MUG-1"),
        variants=[
            Variant("MUG-1", [Price("EUR", 300), Price("GBP", 250, 299)], {"colour": "red"}, "reduced"),
            Variant("MUG-2", [], {"colour": "blue"}),
        ],
        description="For tea.",
        categories=["kitchen"],
        tags=["red"],
    )
    async with db.transaction(CONTEXT) as tx:
        created = await tx.catalogue.create(wanted)
        assert await tx.catalogue.get("prod_mug-1") == created
        assert await tx.catalogue.get("mug-1") == created
        assert (await tx.stock.level("MUG-2")).available == 0
    assert created.created_at is not None
    assert replace(created, created_at=None, updated_at=None) == wanted


async def test_a_slug_or_sku_of_another_product_is_refused(db: SqlDatabase) -> None:
    for taken in (
        replace(product("NEW"), slug="tea-1"),
        replace(product(TEA), id="p2", slug="s2"),
        product(TEA),
    ):
        with pytest.raises(Conflict):
            async with db.transaction(CONTEXT) as tx:
                await tx.catalogue.create(taken)
    assert await titles(db) == ["Nice Cup-1", "Nice Tea-1"]


async def test_replace_needs_the_current_version_and_counts_it_up(db: SqlDatabase) -> None:
    changed = replace(product(TEA, 275), title="Nicer Tea")
    async with db.transaction(CONTEXT) as tx:
        second = await tx.catalogue.replace(changed, 1)
    assert (second.version, second.title, second.variants[0].prices) == (2, "Nicer Tea", [Price("GBP", 275)])
    with pytest.raises(StaleVersion):
        async with db.transaction(CONTEXT) as tx:
            await tx.catalogue.replace(product(TEA, 1), 1)
    with pytest.raises(NotFound):
        async with db.transaction(CONTEXT) as tx:
            await tx.catalogue.replace(product("NONE"), 1)
    async with db.reading() as tx:
        assert await tx.catalogue.get("tea-1") == second


async def test_a_variant_that_is_gone_is_not_for_sale_but_stays_for_its_orders(db: SqlDatabase) -> None:
    order = await create_order(db)
    async with db.transaction(CONTEXT) as tx:
        changed = await tx.catalogue.replace(
            replace(product(TEA), variants=[Variant("TEA-2", [Price("GBP", 99)])]), 1
        )
        priced = await tx.catalogue.priced([TEA, "TEA-2"], "GBP")
        assert [line.sku for line in await tx.orders.lines(order.id)] == [TEA, CUP]
        back = await tx.catalogue.replace(product(TEA), 2)
    assert [variant.sku for variant in changed.variants] == ["TEA-2"]
    assert list(priced) == ["TEA-2"]
    assert [variant.sku for variant in back.variants] == [TEA]


async def test_archive_takes_off_sale(db: SqlDatabase) -> None:
    async with db.transaction(CONTEXT) as tx:
        with pytest.raises(StaleVersion):
            await tx.catalogue.archive("prod_tea-1", 7)
        await tx.catalogue.archive("prod_tea-1", 1)
        await tx.catalogue.archive("prod_cup-1", None)
        assert await tx.catalogue.priced([TEA, CUP], "GBP") == {}
        assert (await tx.catalogue.get("tea-1")).archived
        with pytest.raises(NotFound):
            await tx.catalogue.archive("x", None)
    assert await titles(db) == []


async def test_prices_are_by_currency(db: SqlDatabase) -> None:
    async with db.reading() as tx:
        assert await tx.catalogue.priced([TEA, "NONE"], "GBP") == {
            TEA: PricedSku(TEA, "prod_tea-1", "Nice Tea-1", 250, "standard")
        }
        assert await tx.catalogue.priced([TEA], "EUR") == {}
        assert await tx.catalogue.currencies() == {"GBP"}


async def test_shipping_and_tax_prefer_the_country_to_everywhere(db: SqlDatabase) -> None:
    async with db.reading() as tx:
        rates = [
            await tx.catalogue.shipping_rate("standard", country, "GBP") for country in ("GB", "FR", "DE")
        ]
        assert rates == [
            ShippingRate("standard", "Standard", "GBP", 0, None),
            ShippingRate("standard", "Standard", "GBP", 1800, 150),
            ShippingRate("standard", "Standard", "GBP", 2000, 150),
        ]
        assert await tx.catalogue.shipping_rate("standard", "GB", "EUR") is None
        assert await tx.catalogue.shipping_rate("express", "GB", "GBP") is None
        assert await tx.catalogue.tax_rates("GB") == {"standard": 2000, "reduced": 500}
        assert await tx.catalogue.tax_rates("DE") == {"standard": 0}


async def test_filters(db: SqlDatabase) -> None:
    async with db.transaction(CONTEXT) as tx:
        await tx.catalogue.create(
            replace(product("HAT-1", 700), title="Warm hats", categories=["warmth"], tags=["red"])
        )
        await tx.stock.hold("r", hold_lines((CUP, 6)), 60, cart_id="c", order_id=None)
    assert await titles(db, q="hat") == ["Warm hats"]
    assert await titles(db, q="hat-1") == ["Warm hats"]
    assert await titles(db, q="%") == []
    assert await titles(db, category="warmth") == await titles(db, tag="red") == ["Warm hats"]
    assert await titles(db, in_stock=True) == ["Nice Tea-1"]
    assert await titles(db, in_stock=False) == ["Nice Cup-1", "Warm hats"]
    assert await titles(db, min_price=251, max_price=700) == ["Warm hats"]
    assert await titles(db, max_price=0) == []
    assert await titles(db, min_price=1, currency="EUR") == []


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("title", ["Nice A", "Nice B", "Nice C", "Nice Cup-1", "Nice Tea-1"]),
        ("-title", ["Nice Tea-1", "Nice Cup-1", "Nice C", "Nice B", "Nice A"]),
        ("price", ["Nice C", "Nice Tea-1", "Nice A", "Nice B", "Nice Cup-1"]),
        ("-price", ["Nice Cup-1", "Nice B", "Nice A", "Nice Tea-1", "Nice C"]),
        ("newest", ["Nice C", "Nice B", "Nice A", "Nice Cup-1", "Nice Tea-1"]),
    ],
)
async def test_pages_hold_every_product_once_in_order(
    db: SqlDatabase, sort: str, expected: list[str]
) -> None:
    for sku, amount in (("A", 700), ("B", 700), ("C", 5)):
        async with db.transaction(CONTEXT) as tx:
            await tx.catalogue.create(product(sku, amount))
    seen, cursor = [], None
    async with db.reading() as tx:
        while True:
            page, cursor = await tx.catalogue.list(ProductQuery(sort=sort, cursor=cursor, limit=2))
            seen += [found.title for found in page]
            if cursor is None:
                break
        assert len(page) == 1
    assert seen == expected


async def test_a_cursor_of_another_list_and_an_unknown_sort_are_refused(db: SqlDatabase) -> None:
    async with db.reading() as tx:
        _, cursor = await tx.catalogue.list(ProductQuery(limit=1))
        with pytest.raises(InvalidCursor):
            await tx.catalogue.list(ProductQuery(limit=1, sort="-title", cursor=cursor))
        with pytest.raises(ValueError, match="sorted"):
            await tx.catalogue.list(ProductQuery(sort="random"))
