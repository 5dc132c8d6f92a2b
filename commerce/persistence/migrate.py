"""Brings the schema up to date, as the owner role."""

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool, text

from commerce.persistence.engine import sqlalchemy_url

_ONE_AT_A_TIME = 7_206_133_518_204_411
"""Advisory lock of whoever migrates: a second process waits and then finds nothing to do."""


def upgrade(owner_url: str) -> None:
    """Applies all missing revisions in one transaction. Blocks; raises SQLAlchemy's errors."""
    engine = create_engine(sqlalchemy_url(owner_url), poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def current(url: str) -> str | None:
    """The revision of a database; None for one that was never migrated. Any role may ask."""
    engine = create_engine(sqlalchemy_url(url), poolclass=pool.NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The newest revision that this code knows."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if newest is None:
        raise LookupError("no migrations are installed")
    return newest


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files("commerce.persistence") / "migrations"))
    return config
