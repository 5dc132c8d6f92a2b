"""Which of the database's errors mean "try the whole transaction again"."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from commerce.domain.errors import ProviderUnavailable

_RETRYABLE_CLASSES = ("08", "40", "53", "57")
"""Connection lost, rollback (serialisation, deadlock), too few resources, operator or time limit."""
_RETRYABLE_STATES = frozenset({"55P03", "25P03", "25P04"})
"""Lock time-out, idle in transaction, transaction time-out."""


@contextmanager
def database_errors() -> Iterator[None]:
    """Turns what will pass into ProviderUnavailable; all else goes through, a broken constraint above all."""
    try:
        yield
    except PoolTimeout as error:
        raise ProviderUnavailable("all database connections are busy", code="pool_timeout") from error
    except DBAPIError as error:
        if not is_retryable(error):
            raise
        raise ProviderUnavailable("the database did not answer", code=sqlstate(error)) from error


def is_retryable(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    state = sqlstate(error)
    if state is None:
        return isinstance(error.orig, psycopg.OperationalError)
    return state.startswith(_RETRYABLE_CLASSES) or state in _RETRYABLE_STATES


def sqlstate(error: DBAPIError) -> str | None:
    return error.orig.sqlstate if isinstance(error.orig, psycopg.Error) else None


def broken_constraint(error: IntegrityError) -> str | None:
    """The name of the constraint or unique index that refused."""
    return error.orig.diag.constraint_name if isinstance(error.orig, psycopg.Error) else None
