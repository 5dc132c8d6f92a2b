"""Waiting for something that happens elsewhere."""

import asyncio
from collections.abc import Callable
from typing import Any


async def until(look: Callable[[], Any], seconds: float = 15.0) -> Any:
    """What `look` answers once it is true."""
    async with asyncio.timeout(seconds):
        while True:
            found = await look()
            if found:
                return found
            await asyncio.sleep(0.05)
