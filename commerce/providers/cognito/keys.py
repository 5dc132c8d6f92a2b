"""The issuer's public keys, fetched once and then only as often as needed and allowed."""

import asyncio
import time
from collections.abc import Callable

import httpx
import jwt
from pydantic import BaseModel, ConfigDict, ValidationError

from commerce.domain.errors import ProviderUnavailable


class _Key(BaseModel):
    model_config = ConfigDict(extra="allow")

    kid: str
    kty: str
    use: str = "sig"
    alg: str = "RS256"


class _KeySet(BaseModel):
    keys: list[_Key]


class KeyRing:
    """RSA signing keys by id. A key that is not there is asked for at most every `refresh_seconds`, so that
    made-up ids cause no traffic; known keys are renewed after `lifetime_seconds`, and kept when that fails.
    """

    def __init__(
        self,
        jwks_url: str,
        *,
        refresh_seconds: float = 30.0,
        lifetime_seconds: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = jwks_url
        self._refresh_seconds = refresh_seconds
        self._lifetime_seconds = lifetime_seconds
        self._clock = clock
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(3.0, connect=2.0))
        self._lock = asyncio.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked_at: float | None = None
        self._fetched_at: float | None = None

    async def find(self, kid: str) -> jwt.PyJWK | None:
        """Raises ProviderUnavailable while there never were any keys."""
        key = self._keys.get(kid)
        if key is not None and not self._is_old():
            return key
        async with self._lock:
            known = kid in self._keys and not self._is_old()
            if not known and self._may_ask():
                await self._fetch()
        if self._fetched_at is None:
            raise ProviderUnavailable("the issuer's keys cannot be had", code="no_keys")
        return self._keys.get(kid)

    async def close(self) -> None:
        await self._http.aclose()

    def _is_old(self) -> bool:
        return self._fetched_at is None or self._clock() - self._fetched_at > self._lifetime_seconds

    def _may_ask(self) -> bool:
        if self._asked_at is None:
            return True
        wait = self._refresh_seconds if self._fetched_at is not None else 1.0
        return self._clock() - self._asked_at >= wait

    async def _fetch(self) -> None:
        self._asked_at = self._clock()
        try:
            answer = await self._http.get(self._url)
            answer.raise_for_status()
            keys = _KeySet.model_validate_json(answer.content).keys
            fetched = {
                key.kid: jwt.PyJWK(key.model_dump(), "RS256")
                for key in keys
                if (key.kty, key.use, key.alg) == ("RSA", "sig", "RS256")
            }
        except (httpx.HTTPError, ValidationError, jwt.PyJWTError):
            return
        self._keys, self._fetched_at = fetched, self._asked_at
