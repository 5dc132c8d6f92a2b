"""What the running gateway holds: made at start-up, yielded by the lifespan, closed at its end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from api.ports import CodecDecoder, Workflows
from commerce.domain.identity import TokenVerifier
from commerce.domain.ports import Carrier, CartStore, Database, LiveUpdates, PaymentProvider
from commerce.runtime.settings import GatewaySettings

Probe = Callable[[], Awaitable[None]]
"""Raises ProviderUnavailable, OSError or TimeoutError when the part is down."""


@dataclass(frozen=True)
class Gateway:
    """Every adapter that routes may use. `payments` and `carriers` are by the name in the address."""

    settings: GatewaySettings
    database: Database
    carts: CartStore
    payments: Mapping[str, PaymentProvider]
    carriers: Mapping[str, Carrier]
    live: LiveUpdates
    tokens: TokenVerifier
    workflows: Workflows
    codec: CodecDecoder
    probes: Mapping[str, Probe]
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process is to end: open streams close, and their clients come back elsewhere."""


class LifespanState(TypedDict):
    gateway: Gateway
