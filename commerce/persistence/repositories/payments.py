"""Payments and refunds. Writers hold the order's row and the payment's row, in this order."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from sqlalchemy import ColumnElement, func, insert, select, update

from commerce.contracts.statuses import PaymentStatus, RefundStatus
from commerce.domain.errors import Conflict, NotFound, RefundExceedsCapture
from commerce.domain.orders import NewRefund, Payment, Refund
from commerce.domain.payments import REFUND_RANK, advance
from commerce.domain.providers import ProviderPayment
from commerce.persistence.repositories.clock import older_than
from commerce.persistence.repositories.rows import payment_of, refund_of
from commerce.persistence.repositories.views import refunds_where
from commerce.persistence.tables.orders import order_lines, orders, payments, refund_lines, refunds
from commerce.persistence.work import Work

_UNDER_WAY = (RefundStatus.REQUESTED, RefundStatus.PENDING)


class SqlPayments:
    def __init__(self, work: Work) -> None:
        self._work = work

    async def get(self, payment_id: str, *, lock: bool = False) -> Payment:
        statement = select(payments).where(payments.c.id == payment_id)
        if lock:
            statement = statement.join(orders, orders.c.id == payments.c.order_id).with_for_update(
                of=[orders, payments], key_share=True
            )
        row = await self._work.first(statement)
        if row is None:
            raise NotFound("payment", payment_id)
        return payment_of(row)

    async def find(self, provider: str, provider_ref: str) -> Payment | None:
        row = await self._work.first(
            select(payments).where(payments.c.provider == provider, payments.c.provider_ref == provider_ref)
        )
        return payment_of(row) if row is not None else None

    async def record(self, payment_id: str, facts: ProviderPayment) -> Payment:
        return await self._store(advance(await self.get(payment_id, lock=True), facts))

    async def mark_voided(self, payment_id: str) -> Payment:
        payment = await self.get(payment_id, lock=True)
        if payment.captured:
            raise Conflict(f"payment {payment_id} is captured: refund it instead")
        return await self._store(replace(payment, status=PaymentStatus.VOIDED, action=None))

    async def _store(self, payment: Payment) -> Payment:
        """`updated_at` also counts news that changed nothing: the provider was heard."""
        row = await self._work.first(
            update(payments)
            .where(payments.c.id == payment.id)
            .values(
                status=payment.status,
                authorised=payment.authorised,
                captured=payment.captured,
                refunded=payment.refunded,
                provider_ref=payment.provider_ref,
                action=asdict(payment.action) if payment.action else None,
                decline_code=payment.decline_code,
                capture_before=payment.capture_before,
                livemode=payment.livemode,
                updated_at=func.clock_timestamp(),
            )
            .returning(payments)
        )
        if row is None:
            raise NotFound("payment", payment.id)
        return payment_of(row)

    async def create_refund(self, refund: NewRefund) -> Refund:
        payment = await self.get(refund.payment_id, lock=True)
        stored = await refunds_where(self._work, refunds.c.payment_id == payment.id)
        for known in stored:
            if known.id == refund.id:
                return known
        under_way = sum(known.amount for known in stored if known.status in _UNDER_WAY)
        refundable = payment.captured - payment.refunded - under_way
        if refund.amount > refundable:
            raise RefundExceedsCapture(max(refundable, 0))
        await self._check_pieces(refund, stored)
        return await self._insert_refund(refund, payment.currency)

    async def _check_pieces(self, refund: NewRefund, stored: Sequence[Refund]) -> None:
        if not refund.lines:
            return
        rows = await self._work.rows(
            select(order_lines.c.line_no, order_lines.c.quantity).where(
                order_lines.c.order_id == refund.order_id
            )
        )
        left: dict[int, int] = {row["line_no"]: row["quantity"] for row in rows}
        given_back = [known.lines for known in stored if known.status is not RefundStatus.FAILED]
        for line in [line for lines in [*given_back, refund.lines] for line in lines]:
            left[line.line_no] = left.get(line.line_no, 0) - line.quantity
            if left[line.line_no] < 0:
                raise Conflict(f"line {line.line_no} of order {refund.order_id} has no such pieces left")

    async def _insert_refund(self, refund: NewRefund, currency: str) -> Refund:
        values = {
            "id": refund.id,
            "order_id": refund.order_id,
            "payment_id": refund.payment_id,
            "currency": currency,
            "amount": refund.amount,
            "reason": refund.reason,
        }
        row = await self._work.first(insert(refunds).values(values).returning(refunds))
        if row is None:
            raise NotFound("refund", refund.id)
        lines = [
            {"refund_id": refund.id, "order_id": refund.order_id, **asdict(line)} for line in refund.lines
        ]
        if lines:
            await self._work.run(insert(refund_lines), lines)
        return refund_of(row, refund.lines)

    async def refund(self, refund_id: str, *, lock: bool = False) -> Refund:
        if lock:
            await self._work.run(
                select(orders.c.id)
                .join(refunds, refunds.c.order_id == orders.c.id)
                .where(refunds.c.id == refund_id)
                .with_for_update(of=orders, key_share=True)
            )
        found = await refunds_where(self._work, refunds.c.id == refund_id)
        if not found:
            raise NotFound("refund", refund_id)
        return found[0]

    async def record_refund(
        self, refund_id: str, status: RefundStatus, provider_ref: str | None, failure_code: str | None
    ) -> Refund:
        refund = await self.refund(refund_id, lock=True)
        moves = REFUND_RANK[status] > REFUND_RANK[refund.status]
        counted = _counted(status if moves else refund.status) - _counted(refund.status)
        if counted:
            await self._work.run(
                update(payments)
                .where(payments.c.id == refund.payment_id)
                .values(
                    refunded=payments.c.refunded + counted * refund.amount, updated_at=func.clock_timestamp()
                )
            )
        await self._work.run(
            update(refunds)
            .where(refunds.c.id == refund_id)
            .values(
                status=status if moves else refund.status,
                provider_ref=refund.provider_ref or provider_ref,
                failure_code=failure_code if moves else refund.failure_code,
                updated_at=func.clock_timestamp(),
            )
        )
        return await self.refund(refund_id)

    async def open_refunds(self, older_than_seconds: float, limit: int) -> Sequence[Refund]:
        return await refunds_where(
            self._work,
            refunds.c.status.in_(_UNDER_WAY),
            older_than(refunds.c.updated_at, older_than_seconds),
            limit=limit,
        )

    async def silent(self, older_than_seconds: float, limit: int) -> Sequence[Payment]:
        waiting: ColumnElement[bool] = payments.c.status.in_(
            (PaymentStatus.REQUIRES_ACTION, PaymentStatus.PROCESSING)
        )
        rows = await self._work.rows(
            select(payments)
            .where(waiting, older_than(payments.c.updated_at, older_than_seconds))
            .order_by(payments.c.updated_at)
            .limit(limit)
        )
        return [payment_of(row) for row in rows]


def _counted(status: RefundStatus) -> int:
    return 1 if status is RefundStatus.SUCCEEDED else 0
