"""Orders: the intent, its four axes, what clients are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import ColumnElement, RowMapping, and_, func, insert, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from commerce.contracts.context import RequestContext
from commerce.contracts.statuses import FulfilmentState, OrderState, PaymentState, PaymentStatus, RefundStatus
from commerce.domain.errors import CartAlreadyOrdered, NotFound
from commerce.domain.orders import NewOrder, Order, OrderLine, OrderView
from commerce.domain.states import (
    FULFILMENT_MOVES,
    ORDER_MOVES,
    PAYMENT_MOVES,
    check_move,
    shopper_status,
)
from commerce.persistence import cursors
from commerce.persistence.repositories.clock import older_than
from commerce.persistence.repositories.rows import (
    context_columns,
    context_of,
    line_of,
    order_of,
    payment_of,
)
from commerce.persistence.repositories.views import by_order, refunds_where, shipments_where
from commerce.persistence.tables.orders import order_lines, orders, payments, refunds, shipments
from commerce.persistence.work import Work

_NOT_CANCELLED = text("order_state <> 'cancelled'")
"""A literal: with a parameter a prepared statement no longer finds the partial index."""

_LIVE_PAYMENTS = (PaymentStatus.AUTHORISED, PaymentStatus.PROCESSING, PaymentStatus.REQUIRES_ACTION)


class SqlOrders:
    def __init__(self, work: Work) -> None:
        self._work = work

    async def create(self, order: NewOrder) -> Order:
        statement = (
            upsert(orders)
            .values(_new_row(order, self._work.context))
            .on_conflict_do_nothing(index_elements=[orders.c.cart_id], index_where=_NOT_CANCELLED)
            .returning(orders)
        )
        row = await self._work.first(statement)
        if row is None:
            raise CartAlreadyOrdered(order.cart_id, await self._order_of_cart(order.cart_id))
        lines = [{"order_id": order.id, **asdict(line)} for line in order.lines]
        await self._work.run(insert(order_lines), lines)
        await self._work.run(insert(payments).values(_payment_row(order)))
        return order_of(row)

    async def _order_of_cart(self, cart_id: str) -> str:
        row = await self._work.first(
            select(orders.c.id).where(
                orders.c.cart_id == cart_id, orders.c.order_state != OrderState.CANCELLED
            )
        )
        if row is None:
            raise NotFound("order of cart", cart_id)
        return str(row["id"])

    async def get(self, order_id: str, *, lock: bool = False) -> Order:
        return order_of(await self._row(order_id, lock=lock))

    async def _row(self, order_id: str, *, lock: bool = False) -> RowMapping:
        statement = select(orders).where(orders.c.id == order_id)
        row = await self._work.first(statement.with_for_update(key_share=True) if lock else statement)
        if row is None:
            raise NotFound("order", order_id)
        return row

    async def lines(self, order_id: str) -> Sequence[OrderLine]:
        return (await self._lines([order_id])).get(order_id, [])

    async def _lines(self, order_ids: Sequence[str]) -> Mapping[str, list[OrderLine]]:
        rows = await self._work.rows(
            select(order_lines)
            .where(order_lines.c.order_id.in_(order_ids))
            .order_by(order_lines.c.order_id, order_lines.c.line_no)
        )
        return by_order((row["order_id"], line_of(row)) for row in rows)

    async def view(self, order_id: str) -> OrderView:
        return (await self._views([await self._row(order_id)]))[0]

    async def list_views(
        self, *, customer_id: str | None, status: str | None, cursor: str | None, limit: int
    ) -> tuple[Sequence[OrderView], str | None]:
        wanted: list[ColumnElement[bool]] = []
        if customer_id is not None:
            wanted.append(orders.c.customer_id == customer_id)
        if status is not None:
            wanted.append(orders.c.status == status)
        rows, more = await self._newest(wanted, cursor, limit)
        return await self._views(rows), more

    async def _newest(
        self, wanted: list[ColumnElement[bool]], cursor: str | None, limit: int
    ) -> tuple[Sequence[RowMapping], str | None]:
        if cursor is not None:
            wanted = [
                *wanted,
                tuple_(orders.c.created_at, orders.c.id) < tuple_(*cursors.decode_age(cursor)),
            ]
        newest_first = (orders.c.created_at.desc(), orders.c.id.desc())
        rows = await self._work.rows(select(orders).where(*wanted).order_by(*newest_first).limit(limit + 1))
        page = rows[:limit]
        more = cursors.encode_age(page[-1]["created_at"], page[-1]["id"]) if len(rows) > limit else None
        return page, more

    async def _views(self, rows: Sequence[RowMapping]) -> list[OrderView]:
        """Four more queries, however many orders."""
        ids = [row["id"] for row in rows]
        lines = await self._lines(ids)
        paid = by_order(
            (row["order_id"], payment_of(row))
            for row in await self._work.rows(
                select(payments).where(payments.c.order_id.in_(ids)).order_by(payments.c.created_at)
            )
        )
        sent = by_order(
            (shipment.order_id, shipment)
            for shipment in await shipments_where(self._work, shipments.c.order_id.in_(ids))
        )
        given_back = by_order(
            (refund.order_id, refund)
            for refund in await refunds_where(self._work, refunds.c.order_id.in_(ids))
        )
        return [
            OrderView(
                order=order_of(row),
                lines=lines.get(row["id"], []),
                payments=paid.get(row["id"], []),
                shipments=sent.get(row["id"], []),
                refunds=given_back.get(row["id"], []),
            )
            for row in rows
        ]

    async def move(
        self,
        order_id: str,
        *,
        order: OrderState | None = None,
        payment: PaymentState | None = None,
        fulfilment: FulfilmentState | None = None,
        cancel_reason: str | None = None,
    ) -> Order:
        now = await self.get(order_id, lock=True)
        changes: dict[str, object] = {}
        if order is not None and check_move("order", ORDER_MOVES, now.order_state, order):
            changes |= _order_changes(order, cancel_reason)
        if payment is not None and check_move("payment", PAYMENT_MOVES, now.payment_state, payment):
            changes["payment_state"] = payment
        if fulfilment is not None and check_move(
            "fulfilment", FULFILMENT_MOVES, now.fulfilment_state, fulfilment
        ):
            changes["fulfilment_state"] = fulfilment
            if fulfilment is FulfilmentState.DELIVERED:
                changes["delivered_at"] = func.clock_timestamp()
        if not changes:
            return now
        changes["status"] = shopper_status(
            order or now.order_state, payment or now.payment_state, fulfilment or now.fulfilment_state
        )
        changes |= {"version": now.version + 1, "changed_at": func.clock_timestamp()}
        row = await self._work.first(
            update(orders).where(orders.c.id == order_id).values(changes).returning(orders)
        )
        if row is None:
            raise NotFound("order", order_id)
        return order_of(row)

    async def set_attention(self, order_id: str, reason: str | None) -> None:
        touched = await self._work.run(
            update(orders).where(orders.c.id == order_id).values(needs_attention=reason)
        )
        if not touched:
            raise NotFound("order", order_id)

    async def needing_attention(self, cursor: str | None, limit: int) -> tuple[Sequence[Order], str | None]:
        rows, more = await self._newest([orders.c.needs_attention.is_not(None)], cursor, limit)
        return [order_of(row) for row in rows], more

    async def mark_started(self, order_id: str) -> None:
        await self._work.run(
            update(orders)
            .where(orders.c.id == order_id, orders.c.started_at.is_(None))
            .values(started_at=func.clock_timestamp())
        )

    async def not_started(self, older_than_seconds: float, limit: int) -> Sequence[Order]:
        rows = await self._work.rows(
            select(orders)
            .where(
                orders.c.started_at.is_(None),
                orders.c.order_state == OrderState.PENDING,
                older_than(orders.c.created_at, older_than_seconds),
            )
            .order_by(orders.c.created_at)
            .limit(limit)
        )
        return [order_of(row) for row in rows]

    async def cancelled_with_money(self, older_than_seconds: float, limit: int) -> Sequence[Order]:
        given_back = (
            select(func.coalesce(func.sum(refunds.c.amount), 0))
            .where(refunds.c.payment_id == payments.c.id, refunds.c.status != RefundStatus.FAILED)
            .scalar_subquery()
        )
        holds_money = or_(
            payments.c.captured > given_back,
            and_(payments.c.captured == 0, payments.c.status.in_(_LIVE_PAYMENTS)),
        )
        rows = await self._work.rows(
            select(orders)
            .join(payments, payments.c.order_id == orders.c.id)
            .where(
                orders.c.order_state == OrderState.CANCELLED,
                orders.c.needs_attention.is_(None),
                older_than(orders.c.changed_at, older_than_seconds),
                holds_money,
            )
            .order_by(orders.c.changed_at)
            .limit(limit)
        )
        return [order_of(row) for row in rows]

    async def context_of(self, order_id: str) -> RequestContext:
        return context_of(await self._row(order_id))


def _order_changes(order: OrderState, cancel_reason: str | None) -> dict[str, object]:
    changes: dict[str, object] = {"order_state": order}
    if order is OrderState.CONFIRMED:
        changes["placed_at"] = func.clock_timestamp()
    if order is OrderState.CANCELLED:
        changes["cancel_reason"] = cancel_reason
    return changes


def _new_row(order: NewOrder, context: RequestContext) -> dict[str, object]:
    totals = order.totals
    return {
        "id": order.id,
        "payment_id": order.payment_id,
        "cart_id": order.cart_id,
        "customer_id": order.customer_id,
        "guest_key": order.guest_key,
        "email": order.email,
        "shipping_address": asdict(order.shipping_address),
        "billing_address": asdict(order.billing_address) if order.billing_address else None,
        "shipping_method": order.shipping_method,
        **asdict(totals),
        "provider": order.provider,
        "livemode": order.livemode,
        "reservation_id": order.reservation_id,
        "locale": order.locale,
        **context_columns(context),
    }


def _payment_row(order: NewOrder) -> dict[str, object]:
    return {
        "id": order.payment_id,
        "order_id": order.id,
        "provider": order.provider,
        "token": order.payment_token,
        "currency": order.totals.currency,
        "amount": order.totals.total,
        "livemode": order.livemode,
    }
