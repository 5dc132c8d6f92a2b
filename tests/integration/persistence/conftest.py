from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from integration.persistence.builders import CONTEXT, CUP, PRICES, TEA, product

from commerce.persistence.database import SqlDatabase, connect
from devstack.testing import Database

_TERMS = """
    INSERT INTO warehouses VALUES ('main', 'Main'), ('north', 'North');
    INSERT INTO shipping_methods VALUES ('standard', 'Standard'), ('express', 'Express');
    INSERT INTO shipping_rates VALUES
        ('standard', 'GB', 'GBP', 0, NULL), ('standard', '*', 'GBP', 2000, 150),
        ('standard', 'FR', 'GBP', 1800, 150);
    INSERT INTO tax_rates VALUES ('GB', 'standard', 2000), ('GB', 'reduced', 500), ('*', 'standard', 0);
"""


@pytest.fixture
async def empty(database: Database) -> AsyncIterator[SqlDatabase]:
    """The app role on a migrated database without rows."""
    db = connect(database.app_url, pool_size=20)
    yield db
    await db.close()


@pytest.fixture
async def db(database: Database, empty: SqlDatabase) -> SqlDatabase:
    """A shop with two goods: 10 TEA in main and 4 in north, 6 CUP in main."""
    with psycopg.connect(libpq(database.owner_url)) as connection:
        connection.execute(_TERMS)
    async with empty.transaction(CONTEXT) as tx:
        for sku, amount in PRICES.items():
            await tx.catalogue.create(product(sku, amount))
        for sku, warehouse, pieces in ((TEA, "main", 10), (TEA, "north", 4), (CUP, "main", 6)):
            await tx.stock.move(sku, warehouse, pieces, "opening stock", f"opening:{sku}:{warehouse}")
    return empty


def libpq(url: str) -> str:
    return url.replace("+psycopg", "")


@pytest.fixture
def owner(database: Database) -> Iterator[psycopg.Connection]:
    """The owner role, to look behind the repositories and to break things. Rolled back at the end."""
    connection = psycopg.connect(libpq(database.owner_url))
    yield connection
    connection.rollback()
    connection.close()
