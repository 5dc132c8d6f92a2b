"""Shipments and refunds with their lines, by one query each."""

from collections.abc import Iterable
from typing import TypeVar

from sqlalchemy import ColumnElement, func, select

from commerce.domain.orders import Refund, RefundLine, Shipment, ShipmentLine
from commerce.persistence.repositories.rows import refund_of, shipment_of
from commerce.persistence.tables.orders import refund_lines, refunds, shipment_lines, shipments
from commerce.persistence.work import Work

T = TypeVar("T")

_SHIPMENT_LINES = (
    select(
        func.jsonb_agg(
            func.jsonb_build_object(
                *("line_no", shipment_lines.c.line_no, "sku", shipment_lines.c.sku),
                *("quantity", shipment_lines.c.quantity, "warehouse", shipment_lines.c.warehouse),
            )
        )
    )
    .where(shipment_lines.c.shipment_id == shipments.c.id)
    .scalar_subquery()
)
_REFUND_LINES = (
    select(
        func.jsonb_agg(
            func.jsonb_build_object(
                *("line_no", refund_lines.c.line_no, "quantity", refund_lines.c.quantity),
                *("amount", refund_lines.c.amount),
            )
        )
    )
    .where(refund_lines.c.refund_id == refunds.c.id)
    .scalar_subquery()
)


async def shipments_where(
    work: Work, *wanted: ColumnElement[bool], limit: int | None = None
) -> list[Shipment]:
    """Oldest first."""
    rows = await work.rows(
        select(shipments, _SHIPMENT_LINES.label("lines"))
        .where(*wanted)
        .order_by(shipments.c.created_at, shipments.c.id)
        .limit(limit)
    )
    return [
        shipment_of(row, sorted((ShipmentLine(**line) for line in row["lines"] or []), key=_shipment_order))
        for row in rows
    ]


async def refunds_where(work: Work, *wanted: ColumnElement[bool], limit: int | None = None) -> list[Refund]:
    """Oldest first."""
    rows = await work.rows(
        select(refunds, _REFUND_LINES.label("lines"))
        .where(*wanted)
        .order_by(refunds.c.created_at, refunds.c.id)
        .limit(limit)
    )
    return [
        refund_of(row, sorted((RefundLine(**line) for line in row["lines"] or []), key=_refund_order))
        for row in rows
    ]


def by_order(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    grouped: dict[str, list[T]] = {}
    for order_id, record in pairs:
        grouped.setdefault(order_id, []).append(record)
    return grouped


def _shipment_order(line: ShipmentLine) -> tuple[int, str]:
    return line.line_no, line.warehouse


def _refund_order(line: RefundLine) -> int:
    return line.line_no
