from datetime import UTC, datetime

import pytest

from commerce.contracts.statuses import RefundStatus
from commerce.domain.orders import OrderLine, Refund, RefundLine
from commerce.domain.refunds import UnknownPieces, refund_pieces, remaining_amount, remaining_pieces

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def line(line_no: int, quantity: int, total: int) -> OrderLine:
    return OrderLine(line_no, f"SKU{line_no}", "prod_1", "Tea", quantity, 0, total, 0, 0, total)


def refund(amount: int, *lines: RefundLine, status: RefundStatus = RefundStatus.SUCCEEDED) -> Refund:
    return Refund("rfd_1", "ord_1", "pay_1", amount, "GBP", "", status, None, None, list(lines), NOW, NOW)


def test_pieces_given_back_one_by_one_sum_to_the_line() -> None:
    lines, earlier, amounts = [line(1, 3, 1000)], [], []
    for _ in range(3):
        (given,) = refund_pieces(lines, earlier, [(1, 1)])
        amounts.append(given.amount)
        earlier.append(refund(given.amount, given))
    assert amounts == [333, 333, 334]


def test_several_lines_in_one_refund() -> None:
    lines = [line(1, 2, 510), line(2, 3, 1000)]
    assert refund_pieces(lines, [], [(2, 2), (1, 1)]) == [RefundLine(2, 2, 666), RefundLine(1, 1, 255)]


def test_more_pieces_than_are_left_are_refused_by_place() -> None:
    earlier = [refund(255, RefundLine(1, 1, 255))]
    with pytest.raises(UnknownPieces) as refused:
        refund_pieces([line(1, 2, 510)], earlier, [(1, 2)])
    assert (refused.value.index, refused.value.line_no, refused.value.left) == (0, 1, 1)


def test_a_line_that_is_not_there_has_nothing_left() -> None:
    with pytest.raises(UnknownPieces) as refused:
        refund_pieces([line(1, 2, 510)], [], [(1, 1), (9, 1)])
    assert (refused.value.index, refused.value.left) == (1, 0)


def test_a_failed_refund_gave_nothing_back() -> None:
    failed = refund(510, RefundLine(1, 2, 510), status=RefundStatus.FAILED)
    assert remaining_pieces([line(1, 2, 510)], [failed]) == [RefundLine(1, 2, 510)]
    assert remaining_amount(510, [failed]) == 510


def test_what_is_on_its_way_counts_as_given() -> None:
    pending = refund(255, RefundLine(1, 1, 255), status=RefundStatus.PENDING)
    assert remaining_pieces([line(1, 2, 510), line(2, 1, 99)], [pending]) == [
        RefundLine(1, 1, 255),
        RefundLine(2, 1, 99),
    ]
    assert remaining_amount(609, [pending]) == 354
