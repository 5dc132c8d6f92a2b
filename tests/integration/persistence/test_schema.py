"""Migrations, roles, and what the database refuses by itself."""

import psycopg
from integration.persistence.conftest import libpq
from sqlalchemy import NullPool, create_engine, inspect

from commerce.persistence import migrate
from commerce.persistence.engine import sqlalchemy_url
from commerce.persistence.tables import catalogue, ledger, messaging, metadata, orders, stock
from devstack.testing import Database

AREAS = (catalogue, ledger, messaging, orders, stock)
APPEND_ONLY = ("ledger_transactions", "ledger_postings", "stock_movements", "audit", "timeline")


def test_upgrade_brings_an_empty_database_to_head_and_a_second_one_changes_nothing(
    database: Database,
) -> None:
    with psycopg.connect(libpq(database.owner_url), autocommit=True) as connection:
        connection.execute("DROP OWNED BY commerce_owner; CREATE SCHEMA IF NOT EXISTS public")
    assert migrate.current(database.owner_url) is None
    migrate.upgrade(database.owner_url)
    assert migrate.current(database.owner_url) == migrate.head() == "0005"
    migrate.upgrade(database.owner_url.replace("+psycopg", ""))
    assert migrate.current(database.owner_url) == "0005"


def test_every_role_may_read_the_revision(database: Database) -> None:
    assert {migrate.current(url) for url in (database.app_url, database.readonly_url)} == {"0005"}


def test_tables_in_code_have_the_columns_of_the_migrated_database(database: Database) -> None:
    assert AREAS
    found = inspect(create_engine(sqlalchemy_url(database.owner_url), poolclass=NullPool))
    assert set(found.get_table_names()) == set(metadata.tables) | {"alembic_version"}
    for name, table in metadata.tables.items():
        stored = {column["name"]: column["nullable"] for column in found.get_columns(name)}
        written = {column.name: column.nullable for column in table.columns}
        assert written.keys() == stored.keys(), name
        typed = {column.name: column.type.python_type for column in table.columns if _plain(column.type)}
        for column in found.get_columns(name):
            if column["name"] in typed and _plain(column["type"]):
                assert column["type"].python_type is typed[column["name"]], (name, column["name"])


def _plain(kind: object) -> bool:
    return type(kind).__name__.upper() in {"TEXT", "STRING", "INTEGER", "BIGINT", "BIGINTEGER", "BOOLEAN"}


def test_app_role_cannot_rewrite_history(database: Database) -> None:
    with psycopg.connect(libpq(database.app_url), autocommit=True) as connection:
        for table in APPEND_ONLY:
            connection.execute(f"SELECT * FROM {table}")
            column = metadata.tables[table].columns.keys()[-1]
            for act in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
                assert _refused(connection, act)
            assert _refused(connection, f"TRUNCATE {table} CASCADE")


def test_app_role_may_change_ordinary_tables_but_not_empty_them(database: Database) -> None:
    ordinary = set(metadata.tables) - {*APPEND_ONLY, "stock_levels"}
    assert len(ordinary) == 24
    with psycopg.connect(libpq(database.app_url), autocommit=True) as connection:
        for table in ordinary:
            column = metadata.tables[table].columns.keys()[0 if table == "products" else -1]
            assert connection.execute(f"UPDATE {table} SET {column} = {column}").rowcount == 0
            assert connection.execute(f"DELETE FROM {table}").rowcount == 0
            assert _refused(connection, f"TRUNCATE {table} CASCADE")


def test_app_role_cannot_get_around_the_movements_or_the_schema(database: Database) -> None:
    with psycopg.connect(libpq(database.app_url), autocommit=True) as connection:
        for act in (
            "UPDATE stock_levels SET on_hand = 5",
            "INSERT INTO stock_levels VALUES ('TEA-1', 'x', 1, 0)",
            "DELETE FROM stock_levels",
            "ALTER TABLE stock_movements DISABLE TRIGGER stock_movements_apply",
            "CREATE TABLE mine ()",
        ):
            assert _refused(connection, act)


def test_readonly_role_reads_all_and_changes_nothing(database: Database) -> None:
    with psycopg.connect(libpq(database.readonly_url), autocommit=True) as connection:
        for table, columns in metadata.tables.items():
            connection.execute(f"SELECT * FROM {table}")
            column = columns.columns.keys()[-1]
            assert _refused(connection, f"UPDATE {table} SET {column} = DEFAULT")
            assert _refused(connection, f"DELETE FROM {table}")
            assert _refused(connection, f"INSERT INTO {table} DEFAULT VALUES")


def _refused(connection: psycopg.Connection, act: str) -> bool:
    try:
        connection.execute(act)
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False
