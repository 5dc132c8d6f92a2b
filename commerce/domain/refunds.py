"""What a refund gives back: pieces of lines at what was paid for them, goodwill, or all that is left.

Tax and discounts are inside the stored line totals and never computed again. A line's pieces are rounded
by their running sum, so that refunding it piece by piece gives exactly its total. Minor units.
"""

from collections.abc import Mapping, Sequence

from commerce.contracts.statuses import RefundStatus
from commerce.domain.orders import OrderLine, Refund, RefundLine


class UnknownPieces(ValueError):
    """A line that the order does not have, or more pieces than it still has; `index` is the request's."""

    def __init__(self, index: int, line_no: int, left: int) -> None:
        super().__init__(f"line {line_no} has {left} pieces left to give back")
        self.index, self.line_no, self.left = index, line_no, left


def refund_pieces(
    lines: Sequence[OrderLine], earlier: Sequence[Refund], wanted: Sequence[tuple[int, int]]
) -> list[RefundLine]:
    """Amounts for `(line_no, quantity)` pairs. Raises UnknownPieces; failed refunds took no pieces."""
    given = pieces_given(earlier)
    by_number = {line.line_no: line for line in lines}
    refunded = []
    for index, (line_no, quantity) in enumerate(wanted):
        line, before = by_number.get(line_no), given.get(line_no, 0)
        left = line.quantity - before if line else 0
        if line is None or quantity > left:
            raise UnknownPieces(index, line_no, left)
        amount = _up_to(line, before + quantity) - _up_to(line, before)
        refunded.append(RefundLine(line_no, quantity, amount))
        given = {**given, line_no: before + quantity}
    return refunded


def remaining_pieces(lines: Sequence[OrderLine], earlier: Sequence[Refund]) -> list[RefundLine]:
    given = pieces_given(earlier)
    left = [(line.line_no, line.quantity - given.get(line.line_no, 0)) for line in lines]
    return refund_pieces(lines, earlier, [(line_no, pieces) for line_no, pieces in left if pieces])


def remaining_amount(captured: int, earlier: Sequence[Refund]) -> int:
    """What was taken and is neither given back nor on its way."""
    return captured - sum(refund.amount for refund in earlier if refund.status is not RefundStatus.FAILED)


def pieces_given(earlier: Sequence[Refund]) -> Mapping[int, int]:
    given: dict[int, int] = {}
    for refund in earlier:
        for line in refund.lines if refund.status is not RefundStatus.FAILED else []:
            given[line.line_no] = given.get(line.line_no, 0) + line.quantity
    return given


def _up_to(line: OrderLine, pieces: int) -> int:
    return line.total * pieces // line.quantity


def tax_share(lines: Sequence[OrderLine], refunds: Sequence[Refund], refund: Refund) -> int:
    """The tax inside a refund's pieces, from the stored line tax; rounded by the running sum per line.

    `refunds` are all of the order, this one among them; those stored before it came first.
    """
    earlier = [other for other in refunds if other.id != refund.id and other.created_at <= refund.created_at]
    before = _amounts_given(earlier)
    by_number = {line.line_no: line for line in lines}
    share = 0
    for given in refund.lines:
        line = by_number[given.line_no]
        if line.total:
            start = before.get(line.line_no, 0)
            share += line.tax * (start + given.amount) // line.total - line.tax * start // line.total
    return share


def _amounts_given(earlier: Sequence[Refund]) -> Mapping[int, int]:
    given: dict[int, int] = {}
    for refund in earlier:
        for line in refund.lines if refund.status is not RefundStatus.FAILED else []:
            given[line.line_no] = given.get(line.line_no, 0) + line.amount
    return given
