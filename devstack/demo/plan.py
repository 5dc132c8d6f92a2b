"""What the morning holds: which purchase goes which way, and which lines of the book have to be refused."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from devstack.orderbook import Invoice, InvoiceKind, purchases

EVERY_GUEST = 7
CANCELLED, AUTHENTICATED = 5, 2
GOOD_CARD, ASKED_CARD = "pm_card_visa", "pm_card_authenticationRequired"
DECLINED_CARDS = (
    "pm_card_chargeDeclined",
    "pm_card_chargeDeclinedInsufficientFunds",
    "pm_card_chargeDeclinedExpiredCard",
)


class Way(StrEnum):
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    """By the shopper, before the parcel is handed over."""
    DECLINED = "declined"
    AUTHENTICATED = "authenticated"
    """The bank asks the shopper first; then delivered like the others."""


@dataclass(frozen=True)
class Purchase:
    """`card` is the token of a test payment method."""

    invoice: Invoice
    way: Way
    card: str
    guest: bool

    @property
    def is_delivered(self) -> bool:
        return self.way in {Way.DELIVERED, Way.AUTHENTICATED}


@dataclass(frozen=True)
class GivenBack:
    """A cancellation of the book that names goods of a purchase: its pieces go back, SKU to quantity."""

    cancellation: Invoice
    purchase: Invoice
    pieces: dict[str, int]


@dataclass(frozen=True)
class Plan:
    purchases: list[Purchase]
    given_back: list[GivenBack]
    without_purchase: list[Invoice]
    nonsense: list[Invoice]

    def wanted(self) -> dict[str, int]:
        """Pieces that all shoppers together put into their carts, by SKU."""
        wanted: dict[str, int] = {}
        for purchase in self.purchases:
            for sku, quantity in purchase.invoice.pieces.items():
                wanted[sku] = wanted.get(sku, 0) + quantity
        return wanted


def plan_morning(book: Sequence[Invoice], seed: int) -> Plan:
    """The same plan for the same seed. Purchases that the rest of the plan needs delivered always are."""
    bought = purchases(book)
    cancellations = [invoice for invoice in book if invoice.kind is InvoiceKind.CANCELLATION]
    matches = {invoice.number: _purchase_of(invoice, bought) for invoice in cancellations}
    given_back = [
        GivenBack(invoice, match, {sku: -quantity for sku, quantity in invoice.pieces.items()})
        for invoice in cancellations
        if (match := matches[invoice.number]) is not None
    ]
    needed = {item.purchase.number for item in given_back}
    needed |= {invoice.number for invoice in bought if invoice.postage}
    ways = _choose([invoice.number for invoice in bought if invoice.number not in needed], seed)
    return Plan(
        purchases=[_purchase(invoice, place, ways) for place, invoice in enumerate(bought, start=1)],
        given_back=given_back,
        without_purchase=[invoice for invoice in cancellations if matches[invoice.number] is None],
        nonsense=[invoice for invoice in book if invoice.kind is InvoiceKind.NONSENSE],
    )


def _purchase_of(cancellation: Invoice, bought: Sequence[Invoice]) -> Invoice | None:
    """The customer's purchase that holds all the pieces; a cancellation of no goods has none."""
    pieces = cancellation.pieces
    for invoice in bought:
        held = invoice.pieces
        enough = all(held.get(sku, 0) >= -quantity for sku, quantity in pieces.items())
        if pieces and enough and invoice.customer_id == cancellation.customer_id:
            return invoice
    return None


def _choose(numbers: Sequence[str], seed: int) -> dict[str, tuple[Way, str]]:
    chosen = random.Random(seed).sample(numbers, CANCELLED + len(DECLINED_CARDS) + AUTHENTICATED)
    fates = [(Way.CANCELLED, GOOD_CARD)] * CANCELLED
    fates += [(Way.DECLINED, card) for card in DECLINED_CARDS]
    fates += [(Way.AUTHENTICATED, ASKED_CARD)] * AUTHENTICATED
    return dict(zip(chosen, fates, strict=True))


def _purchase(invoice: Invoice, place: int, ways: dict[str, tuple[Way, str]]) -> Purchase:
    way, card = ways.get(invoice.number, (Way.DELIVERED, GOOD_CARD))
    return Purchase(invoice, way, card, guest=place % EVERY_GUEST == 0)
