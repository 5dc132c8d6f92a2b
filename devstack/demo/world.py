"""What happens outside the shop: the bank's question is answered, the carrier's vans stand or drive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from pydantic import BaseModel

from devstack.errors import StackError


class Speed(BaseModel):
    """Seconds between two scans, and before the carrier takes a parcel over; None stands still."""

    step_seconds: float | None = None
    handover_seconds: float | None = None


STANDSTILL = Speed()
_FOR_EVER = 1_000_000


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

    @asynccontextmanager
    async def voids_fail(self) -> AsyncIterator[None]:
        """No payment can be given up at the provider meanwhile; other planted faults go as well."""
        faults = f"{self._stripe}/_emulator/faults"
        fault: dict[str, str | int | float | None] = {
            "operation": "payment_intents.cancel",
            "mode": "error_before",
            "times": _FOR_EVER,
        }
        await self._post(faults, fault)
        try:
            yield
        finally:
            (await self._client.delete(faults)).raise_for_status()

    async def move_carrier(self, speed: Speed) -> None:
        await self._post(f"{self._carrier}/_emulator/speed", speed.model_dump())

    async def _post(self, url: str, body: Mapping[str, str | int | float | None]) -> None:
        try:
            (await self._client.post(url, json=body)).raise_for_status()
        except httpx.HTTPError as failure:
            raise StackError(f"{url}: {failure}") from failure
