"""Which lines are short of stock, and which warehouse serves which line. Quantities are pieces."""

from collections.abc import Mapping, Sequence

from commerce.contracts.checkout import Shortage
from commerce.domain.orders import ShipmentLine
from commerce.domain.stock import HoldLine


def shortages(lines: Sequence[HoldLine], available: Mapping[str, int]) -> list[Shortage]:
    """Lines that do not fit, served in their order: lines of one SKU draw on the same pieces."""
    left = {sku: max(pieces, 0) for sku, pieces in available.items()}
    short = []
    for line in sorted(lines, key=lambda line: line.line_no):
        pieces = left.get(line.sku, 0)
        if line.quantity > pieces:
            short.append(Shortage(line.line_no, line.sku, line.quantity, pieces))
        left[line.sku] = max(pieces - line.quantity, 0)
    return short


def choose_warehouses(lines: Sequence[HoldLine], free: Mapping[str, Mapping[str, int]]) -> list[ShipmentLine]:
    """One warehouse that has everything if there is one (the fullest), else the fullest first per line.

    `free` is SKU to warehouse to pieces. Raises ValueError when it does not suffice.
    """
    left = {sku: dict(warehouses) for sku, warehouses in free.items()}
    whole = _one_for_all(lines, free)
    if whole is not None:
        return [ShipmentLine(line.line_no, line.sku, line.quantity, whole) for line in lines]
    return [part for line in lines for part in _split(line, left.get(line.sku, {}))]


def _one_for_all(lines: Sequence[HoldLine], free: Mapping[str, Mapping[str, int]]) -> str | None:
    wanted: dict[str, int] = {}
    for line in lines:
        wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
    total: dict[str, int] = {}
    for warehouse in {code for warehouses in free.values() for code in warehouses}:
        if all(free.get(sku, {}).get(warehouse, 0) >= pieces for sku, pieces in wanted.items()):
            total[warehouse] = sum(free[sku][warehouse] for sku in wanted)
    return min(total, key=lambda code: (-total[code], code), default=None)


def _split(line: HoldLine, left: dict[str, int]) -> list[ShipmentLine]:
    """Takes what it uses out of `left`."""
    parts, missing = [], line.quantity
    for warehouse in sorted(left, key=lambda code: (-left[code], code)):
        pieces = min(left[warehouse], missing)
        if pieces > 0:
            parts.append(ShipmentLine(line.line_no, line.sku, pieces, warehouse))
            left[warehouse] -= pieces
            missing -= pieces
    if missing:
        raise ValueError(f"{missing} pieces of {line.sku} are in no warehouse")
    return parts
