"""What counts as a fault of the morning, and how stock is held against the ledger of parcels."""

from dataclasses import replace

import pytest

from commerce.domain.stock import StockLevel
from devstack.demo.books import Levels, balance_of_stock
from devstack.demo.report import (
    Amounts,
    Answers,
    Cost,
    Postage,
    Refusal,
    Report,
    Stock,
    faults_of,
    tables_of,
)

GOOD = Report(
    currency="GBP",
    orders={"delivered": 55},
    unfinished=[],
    refusals=[Refusal("536414", "makes no sense", "409 price-changed")],
    postage=[Postage("536370", 5400, 5400)],
    money=[Amounts("captured", 100, 100, 100)],
    stock=Stock(0, 100, 40, 60, []),
    answers=Answers(80, 210),
    until_delivered=Cost(55, 85.2, 97, 24.5, 28),
    in_all=Cost(55, 98.3, 120, 29.3, 31),
    temporal_ui="http://127.0.0.1:8233/namespaces/default/workflows/order%2Ford_1",
)


def levels(**pieces: tuple[int, int]) -> Levels:
    return Levels(
        {
            sku: StockLevel(sku, on_hand, allocated, held=0, available=on_hand - allocated)
            for sku, (on_hand, allocated) in pieces.items()
        }
    )


def test_a_morning_that_adds_up_has_no_faults() -> None:
    assert faults_of(GOOD) == []
    assert GOOD.balanced


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (
            {"unfinished": ["536365: order CC-1 is Pending"]},
            "not in its final state: 536365: order CC-1 is Pending",
        ),
        ({"refusals": [Refusal("C536379", "nothing to cancel", None)]}, "C536379 was not refused"),
        ({"money": [Amounts("captured", 100, 100, 99)]}, "captured: the books are not equal"),
        ({"money": [Amounts("refunded", 99, 100, 100)]}, "refunded: the books are not equal"),
        ({"postage": [Postage("536370", 5300, 5400)]}, "postage of 536370 is not as in the book"),
        ({"stock": Stock(0, 100, 40, 60, ["A", "B"])}, "stock of 2 SKUs does not add up: A, B"),
    ],
)
def test_each_thing_that_is_wrong_is_a_fault(changed: dict[str, list[str]], fault: str) -> None:
    assert faults_of(replace(GOOD, **changed)) == [fault]


def test_stock_adds_up_per_sku() -> None:
    opening, closing = levels(A=(10, 1), B=(5, 0)), levels(A=(7, 1), B=(5, 0))
    assert balance_of_stock(opening, closing, {"A": 3}, received=4) == Stock(4, 15, 3, 12, [])


def test_two_skus_that_are_off_by_the_same_pieces_do_not_cancel_out() -> None:
    opening, closing = levels(A=(10, 0), B=(5, 0)), levels(A=(8, 0), B=(4, 0))
    stock = balance_of_stock(opening, closing, {"A": 3}, received=0)
    assert stock.opening - stock.shipped == stock.on_hand
    assert stock.off == ["A", "B"]


def test_pieces_still_promised_to_somebody_are_off() -> None:
    stock = balance_of_stock(levels(A=(10, 0)), levels(A=(10, 2)), {}, received=0)
    assert stock.off == ["A"]


def test_the_tables_are_ended_by_the_verdict() -> None:
    *_, good = tables_of(GOOD)
    *_, bad = tables_of(replace(GOOD, faults=["captured: the books are not equal"]))
    assert good.startswith("[green]The books balance.[/]")
    assert bad == "[red]The books do not balance:[/]\n  captured: the books are not equal"
