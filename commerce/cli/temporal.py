"""The command's connection to Temporal: a server that is not there is found out at once."""

import asyncio

from temporalio.client import Client

from commerce.cli.settings import CommandSettings
from commerce.domain.errors import ProviderUnavailable
from commerce.runtime.temporal import connect

_PATIENCE = 3.0


async def open_client(settings: CommandSettings) -> Client:
    """Looks at the port first, as the SDK tries a dead one for ten seconds. Raises ProviderUnavailable."""
    address = settings.temporal_address
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, ValueError, TimeoutError) as failure:
        raise ProviderUnavailable(f"Temporal at {address} does not answer") from failure
    writer.close()
    return await connect(settings)
