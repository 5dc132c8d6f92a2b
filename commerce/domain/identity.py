"""Who calls, as proven by an access token."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from commerce.domain.errors import CommerceError


class Role(StrEnum):
    """The pool's groups of the same names."""

    CUSTOMER = "customer"
    SUPPORT = "support"
    MERCHANDISER = "merchandiser"
    WAREHOUSE = "warehouse"
    FINANCE = "finance"
    ADMIN = "admin"


@dataclass(frozen=True)
class Identity:
    """`subject` never changes for a person. One without a group is a customer."""

    subject: str
    roles: frozenset[Role]
    expires_at: datetime
    email: str | None = None


class TokenRejected(CommerceError):
    """Not a valid access token of ours, now; `reason` is a stable word for logs, never the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"access token rejected: {reason}")
        self.reason = reason


class TokenVerifier(Protocol):
    async def verify(self, token: str) -> Identity:
        """Raises TokenRejected, and ProviderUnavailable while the issuer's keys cannot be had."""
