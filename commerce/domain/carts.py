"""Carts: what a shopper means to buy, before anything is promised."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class CartItem:
    sku: str
    quantity: int


@dataclass(frozen=True)
class Cart:
    """Owned by `customer_id`, or by whoever knows the token behind `guest_key` (its SHA-256, hex)."""

    id: str
    currency: str
    expires_at: datetime
    customer_id: str | None = None
    guest_key: str | None = None
    items: list[CartItem] = field(default_factory=list)
    order_id: str | None = None
    """Set once the cart has become a placed order: it is then closed."""
    version: int = 1
