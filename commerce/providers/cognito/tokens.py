"""Verifies access tokens of one app client of one Cognito user pool."""

from datetime import UTC, datetime

import jwt
from pydantic import BaseModel, Field, ValidationError

from commerce.domain.identity import Identity, Role, TokenRejected
from commerce.providers.cognito.keys import KeyRing

ALGORITHM = "RS256"
_ACCESS = "access"
_LONGEST = 8192
_LEEWAY_SECONDS = 5
_ROLES = frozenset(Role)


class _Claims(BaseModel):
    sub: str = Field(min_length=1)
    exp: int
    token_use: str
    client_id: str
    groups: list[str] = Field(default_factory=list, alias="cognito:groups")
    email: str | None = None


class TokenVerifier:
    """Issuer and key address are two settings: an emulator's tokens name Amazon's address as issuer.

    The algorithm is ours to choose, never the token's; keys come from the key set alone, whatever key or
    address a token's header carries.
    """

    def __init__(
        self,
        jwks_url: str,
        issuer: str,
        client_id: str,
        *,
        keys: KeyRing | None = None,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._keys = keys or KeyRing(jwks_url)

    async def verify(self, token: str) -> Identity:
        """Raises TokenRejected, and ProviderUnavailable while the issuer's keys cannot be had."""
        key = await self._keys.find(_key_id(token))
        if key is None:
            raise TokenRejected("unknown_key")
        claims = self._claims(token, key)
        if claims.token_use != _ACCESS:
            raise TokenRejected("not_an_access_token")
        if claims.client_id != self._client_id:
            raise TokenRejected("other_client")
        return Identity(
            subject=claims.sub,
            roles=_roles(claims.groups),
            expires_at=datetime.fromtimestamp(claims.exp, UTC),
            email=claims.email,
        )

    async def close(self) -> None:
        await self._keys.close()

    def _claims(self, token: str, key: jwt.PyJWK) -> _Claims:
        try:
            payload = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "sub", "token_use", "client_id"], "verify_aud": False},
            )
            return _Claims.model_validate(payload)
        except jwt.ExpiredSignatureError as error:
            raise TokenRejected("expired") from error
        except jwt.InvalidIssuerError as error:
            raise TokenRejected("other_issuer") from error
        except (jwt.PyJWTError, ValidationError) as error:
            raise TokenRejected("invalid") from error


def _key_id(token: str) -> str:
    if len(token) > _LONGEST:
        raise TokenRejected("too_long")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise TokenRejected("malformed") from error
    kid = header.get("kid")
    if header.get("alg") != ALGORITHM or not isinstance(kid, str):
        raise TokenRejected("algorithm_or_key_id")
    return kid


def _roles(groups: list[str]) -> frozenset[Role]:
    known = frozenset(Role(group) for group in groups if group in _ROLES)
    return known or frozenset({Role.CUSTOMER})
