"""What the demo found, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.markup import escape
from rich.table import Table

from commerce.contracts.money import Money

EVENT_BUDGET, ACTION_BUDGET = 90, 25
"""For one order, from the POST to its delivery, all its workflows together."""
_NAMED = 10


@dataclass(frozen=True)
class Refusal:
    """`answer` is what the gateway said, its status and the problem's slug; None if it said yes."""

    invoice: str
    reason: str
    answer: str | None


@dataclass(frozen=True)
class Amounts:
    """One sum in minor units as each side has it."""

    what: str
    provider: int
    payments: int
    ledger: int

    @property
    def equal(self) -> bool:
        return self.provider == self.payments == self.ledger

    def less(self, what: str, other: Amounts) -> Amounts:
        return Amounts(
            what,
            self.provider - other.provider,
            self.payments - other.payments,
            self.ledger - other.ledger,
        )


@dataclass(frozen=True)
class Postage:
    """Minor units: what the order was charged, and what stands in the book."""

    invoice: str
    charged: int
    book: int


@dataclass(frozen=True)
class Stock:
    """Pieces over all SKUs; `off` are SKUs where opening less shipped is not what is there."""

    received: int
    opening: int
    shipped: int
    on_hand: int
    off: list[str]


@dataclass(frozen=True)
class Answers:
    """Milliseconds from a checkout's POST to its first answer."""

    median: int
    slowest: int


@dataclass(frozen=True)
class Cost:
    """Per delivered order over all its workflows: the mean and the most."""

    orders: int
    mean_events: float
    most_events: int
    mean_actions: float
    most_actions: int


@dataclass(frozen=True)
class Report:
    currency: str
    orders: dict[str, int]
    unfinished: list[str]
    refusals: list[Refusal]
    postage: list[Postage]
    money: list[Amounts]
    stock: Stock
    answers: Answers
    until_delivered: Cost
    in_all: Cost
    temporal_ui: str
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """Everything is as it should be; what is not is named in `faults`."""
        return not self.faults


def faults_of(report: Report) -> list[str]:
    faults = [f"not in its final state: {what}" for what in report.unfinished]
    faults += [f"{item.invoice} was not refused" for item in report.refusals if item.answer is None]
    faults += [f"{item.what}: the books are not equal" for item in report.money if not item.equal]
    faults += [
        f"postage of {item.invoice} is not as in the book"
        for item in report.postage
        if item.charged != item.book
    ]
    off = report.stock.off
    if off:
        named = ", ".join(off[:_NAMED]) + (" …" if len(off) > _NAMED else "")
        faults.append(f"stock of {len(off)} SKUs does not add up: {named}")
    return faults


def tables_of(report: Report) -> Iterator[Table | str]:
    yield _outcome(report)
    yield _refusals(report)
    yield _money(report)
    yield _cost(report)
    yield f"One order in the Temporal UI: {report.temporal_ui}"
    if report.balanced:
        yield f"[green]The books balance.[/] {report.seconds:.0f} s in all."
    else:
        yield "\n".join(["[red]The books do not balance:[/]", *(f"  {escape(f)}" for f in report.faults)])


def _outcome(report: Report) -> Table:
    table = Table("Orders", "", title="The morning of 1 December 2010")
    table.columns[1].justify = "right"
    for outcome, count in report.orders.items():
        table.add_row(outcome, str(count))
    table.add_section()
    table.add_row("first answer, median", f"{report.answers.median} ms")
    table.add_row("first answer, slowest", f"{report.answers.slowest} ms")
    table.add_section()
    stock = report.stock
    if stock.received:
        table.add_row("pieces received before opening", f"{stock.received:,}")
    table.add_row("pieces at opening", f"{stock.opening:,}")
    table.add_row("pieces shipped", f"{stock.shipped:,}")
    table.add_row("pieces on hand", f"{stock.on_hand:,}")
    adds_up = stock.opening - stock.shipped == stock.on_hand and not stock.off
    table.add_row("opening - shipped = on hand, every SKU", _mark(adds_up))
    return table


def _refusals(report: Report) -> Table:
    table = Table("Refused", "Why", "The gateway's answer")
    for item in report.refusals:
        table.add_row(item.invoice, escape(item.reason), escape(item.answer or "[not refused]"))
    return table


def _money(report: Report) -> Table:
    table = Table("Money", "Provider's journal", "Our payments", "Our ledger", "")
    for column in (1, 2, 3):
        table.columns[column].justify = "right"
    for item in report.money:
        sums = (item.provider, item.payments, item.ledger)
        shown = [str(Money(amount, report.currency)) for amount in sums]
        table.add_row(item.what, *shown, _mark(item.equal))
    if report.postage:
        table.add_section()
    for postage in report.postage:
        charged, book = Money(postage.charged, report.currency), Money(postage.book, report.currency)
        mark = _mark(postage.charged == postage.book)
        table.add_row(f"postage of {postage.invoice}", "", str(charged), f"book: {book}", mark)
    return table


def _cost(report: Report) -> Table:
    orders = report.until_delivered.orders
    table = Table(f"Temporal, per delivered order ({orders})", "Events", "Most", "Actions", "Most")
    for column in (1, 2, 3, 4):
        table.columns[column].justify = "right"
    for name, cost in (("until delivered", report.until_delivered), ("in all so far", report.in_all)):
        table.add_row(
            name,
            f"{cost.mean_events:.1f}",
            str(cost.most_events),
            f"{cost.mean_actions:.1f}",
            str(cost.most_actions),
        )
    table.add_row("budget until delivered", str(EVENT_BUDGET), "", str(ACTION_BUDGET), "")
    return table


def _mark(good: bool) -> str:
    return "[green]yes[/]" if good else "[red]no[/]"
