import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commerce.contracts.checkout import Shortage
from commerce.domain.allocation import choose_warehouses, shortages
from commerce.domain.orders import ShipmentLine
from commerce.domain.stock import HoldLine


def test_lines_of_one_sku_draw_on_the_same_pieces() -> None:
    lines = [HoldLine(1, "A", 2), HoldLine(2, "B", 1), HoldLine(3, "A", 2), HoldLine(4, "C", 1)]
    assert shortages(lines, {"A": 3, "B": 1, "C": -4}) == [
        Shortage(3, "A", 2, 1),
        Shortage(4, "C", 1, 0),
    ]
    assert shortages(lines[:2], {"A": 2, "B": 1}) == []


def test_one_warehouse_that_has_everything_serves_the_whole_order() -> None:
    lines = [HoldLine(1, "A", 2), HoldLine(2, "B", 1)]
    free = {"A": {"big": 100, "small": 2}, "B": {"small": 1}}
    assert choose_warehouses(lines, free) == [
        ShipmentLine(1, "A", 2, "small"),
        ShipmentLine(2, "B", 1, "small"),
    ]


def test_of_several_that_have_everything_the_fullest_serves() -> None:
    free = {"A": {"a": 5, "b": 9, "c": 9}}
    assert choose_warehouses([HoldLine(1, "A", 2)], free) == [ShipmentLine(1, "A", 2, "b")]


def test_else_each_line_takes_the_fullest_first() -> None:
    lines = [HoldLine(1, "A", 5), HoldLine(2, "A", 3)]
    free = {"A": {"main": 6, "north": 4}}
    assert choose_warehouses(lines, free) == [
        ShipmentLine(1, "A", 5, "main"),
        ShipmentLine(2, "A", 3, "north"),
    ]


def test_too_little_is_refused() -> None:
    with pytest.raises(ValueError, match="1 pieces of A"):
        choose_warehouses([HoldLine(1, "A", 5)], {"A": {"main": 4}})


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_parts_make_up_the_lines_and_take_no_more_than_is_there(data: st.DataObject) -> None:
    quantity, pieces = st.integers(1, 9), st.integers(0, 9)
    wanted = data.draw(st.lists(st.tuples(st.sampled_from("AB"), quantity), min_size=1, max_size=5))
    lines = [HoldLine(number, sku, count) for number, (sku, count) in enumerate(wanted, 1)]
    free = {sku: data.draw(st.fixed_dictionaries({"m": pieces, "n": pieces, "o": pieces})) for sku in "AB"}
    if shortages(lines, {sku: sum(stock.values()) for sku, stock in free.items()}):
        return
    parts = choose_warehouses(lines, free)
    for line in lines:
        assert sum(part.quantity for part in parts if part.line_no == line.line_no) == line.quantity
    for sku, stock in free.items():
        for warehouse, there in stock.items():
            taken = [part.quantity for part in parts if (part.sku, part.warehouse) == (sku, warehouse)]
            assert sum(taken) <= there
            assert all(taken)
