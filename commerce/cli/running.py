"""Runs a command's asynchronous work and turns what stops it into one line and an exit code."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from commerce.cli.errors import CommandError, Exit
from commerce.cli.settings import CommandSettings
from commerce.domain.errors import CommerceError, NotFound, ProviderError
from commerce.domain.ports import Database
from commerce.persistence.database import connect

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Raises CommandError for what the shop's own errors say."""
    try:
        return asyncio.run(work)
    except NotFound as missing:
        raise CommandError(str(missing), Exit.FOUND) from missing
    except ProviderError as outage:
        raise CommandError(one_line(outage), Exit.UNREACHABLE) from outage
    except CommerceError as refusal:
        raise CommandError(one_line(refusal), Exit.FOUND) from refusal


@asynccontextmanager
async def open_database(settings: CommandSettings) -> AsyncIterator[Database]:
    database = connect(reading_url(settings), pool_size=2, application_name="commerce-cli")
    try:
        yield database
    finally:
        await database.close()


def reading_url(settings: CommandSettings) -> str:
    """Of the readonly role where it is configured, else of the app role."""
    return (settings.database_readonly_url or settings.database_url).get_secret_value()


def one_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
