"""Stock levels and the movements they are the sums of, reservations, holds, allocations."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, Named, Table, TypedColumns

from commerce.persistence.tables import metadata


class StockItemColumns(TypedColumns):
    """One row per SKU: the lock of its stock and holds."""

    sku: Named[str]


class StockLevelColumns(TypedColumns):
    """Written by the movements' trigger only."""

    sku: Named[str]
    warehouse: Named[str]
    on_hand: Named[int] = Column(BigInteger)
    allocated: Named[int] = Column(BigInteger)


class StockMovementColumns(TypedColumns):
    id: Named[str]
    seq: Named[int] = Column(BigInteger)
    key: Named[str]
    sku: Named[str]
    warehouse: Named[str]
    kind: Named[str]
    on_hand_delta: Named[int] = Column(BigInteger)
    allocated_delta: Named[int] = Column(BigInteger)
    reason: Named[str]
    order_id: Named[str | None]
    shipment_id: Named[str | None]
    at: Named[datetime] = Column(DateTime(timezone=True))
    actor: Named[str]
    request_id: Named[str]


class ReservationColumns(TypedColumns):
    id: Named[str]
    cart_id: Named[str | None]
    order_id: Named[str | None]
    status: Named[str]
    fenced: Named[bool]
    extended: Named[bool]
    minutes: Named[int]
    expires_at: Named[datetime] = Column(DateTime(timezone=True))
    created_at: Named[datetime] = Column(DateTime(timezone=True))


class ReservationLineColumns(TypedColumns):
    reservation_id: Named[str]
    line_no: Named[int]
    sku: Named[str]
    quantity: Named[int]


class StockHoldColumns(TypedColumns):
    reservation_id: Named[str]
    sku: Named[str]
    quantity: Named[int] = Column(BigInteger)
    expires_at: Named[datetime] = Column(DateTime(timezone=True))


class StockAllocationColumns(TypedColumns):
    """Open pieces are `quantity - deducted - given_back`."""

    order_id: Named[str]
    line_no: Named[int]
    warehouse: Named[str]
    sku: Named[str]
    quantity: Named[int] = Column(BigInteger)
    deducted: Named[int] = Column(BigInteger)
    given_back: Named[int] = Column(BigInteger)


stock_items = Table("stock_items", metadata, StockItemColumns)
stock_levels = Table("stock_levels", metadata, StockLevelColumns)
stock_movements = Table("stock_movements", metadata, StockMovementColumns)
reservations = Table("reservations", metadata, ReservationColumns)
reservation_lines = Table("reservation_lines", metadata, ReservationLineColumns)
stock_holds = Table("stock_holds", metadata, StockHoldColumns)
stock_allocations = Table("stock_allocations", metadata, StockAllocationColumns)
