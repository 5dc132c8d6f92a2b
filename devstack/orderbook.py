"""Reads the real order book in `devstack/data`: invoices of one morning, as they were keyed in."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

ORDERBOOK = Path(__file__).with_name("data") / "online-retail-2010-12-01.csv"

POSTAGE, DISCOUNT = "POST", "D"
_COUNTRIES = {"United Kingdom": "GB", "France": "FR", "Australia": "AU", "Netherlands": "NL"}


class InvoiceKind(StrEnum):
    """NONSENSE is an invoice that nobody could have bought: no customer, no text, no price."""

    PURCHASE = "purchase"
    CANCELLATION = "cancellation"
    NONSENSE = "nonsense"


@dataclass(frozen=True)
class BookLine:
    """`unit_price` is in pence; a cancellation's quantity is negative."""

    stock_code: str
    description: str
    quantity: int
    unit_price: int

    @property
    def is_goods(self) -> bool:
        return self.stock_code not in {POSTAGE, DISCOUNT}


@dataclass(frozen=True)
class Invoice:
    """`country` is ISO 3166-1 alpha-2; a cancellation's number starts with C. London's time is
    UTC in winter."""

    number: str
    kind: InvoiceKind
    at: datetime
    customer_id: str | None
    country: str
    lines: list[BookLine] = field(default_factory=list)

    @property
    def goods(self) -> list[BookLine]:
        return [line for line in self.lines if line.is_goods]

    @property
    def postage(self) -> int:
        """Pence."""
        return sum(line.quantity * line.unit_price for line in self.lines if line.stock_code == POSTAGE)

    @property
    def pieces(self) -> dict[str, int]:
        """By SKU, in the order of the lines: the book repeats a SKU now and then."""
        pieces: dict[str, int] = {}
        for line in self.goods:
            pieces[line.stock_code] = pieces.get(line.stock_code, 0) + line.quantity
        return pieces


def read_orderbook(path: Path = ORDERBOOK) -> list[Invoice]:
    """In the order of the book."""
    invoices: dict[str, Invoice] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            number = row["InvoiceNo"]
            if number not in invoices:
                invoices[number] = _invoice(row)
            invoices[number].lines.append(_line(row))
    return list(invoices.values())


def purchases(invoices: Iterable[Invoice]) -> list[Invoice]:
    return [invoice for invoice in invoices if invoice.kind is InvoiceKind.PURCHASE]


def _invoice(row: dict[str, str]) -> Invoice:
    customer = row["CustomerID"].strip() or None
    kind = InvoiceKind.PURCHASE
    if row["InvoiceNo"].startswith("C"):
        kind = InvoiceKind.CANCELLATION
    elif customer is None and not row["Description"].strip() and _pence(row["UnitPrice"]) == 0:
        kind = InvoiceKind.NONSENSE
    at = datetime.strptime(row["InvoiceDate"], "%m/%d/%Y %H:%M").replace(tzinfo=UTC)
    return Invoice(row["InvoiceNo"], kind, at, customer, _COUNTRIES[row["Country"]])


def _line(row: dict[str, str]) -> BookLine:
    return BookLine(
        stock_code=row["StockCode"],
        description=row["Description"].strip(),
        quantity=int(row["Quantity"]),
        unit_price=_pence(row["UnitPrice"]),
    )


def _pence(pounds: str) -> int:
    return int(Decimal(pounds) * 100)
