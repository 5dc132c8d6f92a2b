"""What happens outside the shop: the bank's question is answered, the carrier's vans stand or drive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from pydantic import BaseModel

from devstack.errors import StackError


class Speed(BaseModel):
    """Seconds between two scans, and before the carrier takes a parcel over; None stands still."""

    step_seconds: float | None = None
    handover_seconds: float | None = None


STANDSTILL = Speed()


class World:
    """The emulators' control routes."""

    def __init__(self, client: httpx.AsyncClient, stripe_api: str, carrier_api: str) -> None:
        self._client = client
        self._stripe = stripe_api.rstrip("/")
        self._carrier = carrier_api.rstrip("/")

    async def confirm_at_bank(self, client_secret: str) -> None:
        """The shopper passes 3-D Secure for the payment of this secret."""
        intent = client_secret.partition("_secret_")[0]
        url = f"{self._stripe}/_emulator/payment_intents/{intent}/authenticate"
        await self._post(url, {"outcome": "succeed"})

    @asynccontextmanager
    async def carrier_at(self, speed: Speed) -> AsyncIterator[None]:
        """While the block runs; the carrier then moves as before."""
        response = await self._client.get(f"{self._carrier}/_emulator/speed")
        before = Speed.model_validate_json(response.raise_for_status().content)
        await self.move_carrier(speed)
        try:
            yield
        finally:
            await self.move_carrier(before)

    async def move_carrier(self, speed: Speed) -> None:
        await self._post(f"{self._carrier}/_emulator/speed", speed.model_dump())

    async def _post(self, url: str, body: dict[str, str] | dict[str, float | None]) -> None:
        try:
            (await self._client.post(url, json=body)).raise_for_status()
        except httpx.HTTPError as failure:
            raise StackError(f"{url}: {failure}") from failure
