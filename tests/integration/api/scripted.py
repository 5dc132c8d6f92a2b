"""The port to workflows for tests of the gateway alone: answers as told, and remembers what was asked."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from commerce.contracts.checkout import (
    CancelAnswer,
    CancelOrder,
    CheckoutAnswer,
    CheckoutStatus,
    ResolveCompensation,
)
from commerce.contracts.context import RequestContext
from commerce.contracts.payments import RefundOutcome
from commerce.contracts.statuses import OrderStatus, ReservationStatus
from commerce.contracts.stock import ExtendReservation, ReservationAnswer, ReservationInput
from commerce.domain.orders import Order, Refund


@dataclass
class ScriptedWorkflows:
    """`fault` is raised by every call; an `answer` of None lets a caller wait out its time."""

    answer: Callable[[Order], CheckoutAnswer | None] | None = None
    cancelled: CancelAnswer | None = None
    fault: Exception | None = None
    delay: float = 0.0
    checkouts: list[tuple[str, str, RequestContext]] = field(default_factory=list)
    cancels: list[tuple[str, CancelOrder]] = field(default_factory=list)
    refunds: list[str] = field(default_factory=list)
    resolved: list[tuple[str, ResolveCompensation]] = field(default_factory=list)

    def reset(self) -> None:
        self.answer = self.cancelled = self.fault = None
        self.delay = 0.0
        for seen in (self.checkouts, self.cancels, self.refunds, self.resolved):
            seen.clear()

    async def checkout(
        self, order: Order, context: RequestContext, *, update_id: str, wait_seconds: float
    ) -> CheckoutAnswer | None:
        self.checkouts.append((order.id, update_id, context))
        await self._take_time()
        if self.answer is not None:
            return self.answer(order)
        return CheckoutAnswer(order.id, CheckoutStatus.PLACED)

    async def cancel(
        self, order_id: str, cancel: CancelOrder, *, update_id: str, wait_seconds: float
    ) -> CancelAnswer | None:
        self.cancels.append((order_id, cancel))
        await self._take_time()
        return self.cancelled or CancelAnswer(True, OrderStatus.CANCELLED, money_returned=True)

    async def refund(
        self,
        refund: Refund,
        order: Order,
        context: RequestContext,
        *,
        update_id: str,
        wait_seconds: float,
    ) -> RefundOutcome | None:
        self.refunds.append(refund.id)
        await self._take_time()
        return None

    async def reserve(
        self, reservation: ReservationInput, *, update_id: str, wait_seconds: float
    ) -> ReservationAnswer | None:
        await self._take_time()
        return ReservationAnswer(
            reservation.reservation_id, ReservationStatus.HELD, "2030-01-01T00:00:00+00:00", 60.0
        )

    async def extend_reservation(
        self, reservation_id: str, extend: ExtendReservation, update_id: str
    ) -> ReservationAnswer:
        await self._take_time()
        return ReservationAnswer(reservation_id, ReservationStatus.HELD, "2030-01-01T00:00:00+00:00", 60.0)

    async def release_reservation(self, reservation_id: str, context: RequestContext) -> ReservationAnswer:
        await self._take_time()
        return ReservationAnswer(reservation_id, ReservationStatus.RELEASED, "2030-01-01T00:00:00+00:00")

    async def resolve_compensation(self, order_id: str, resolve: ResolveCompensation, update_id: str) -> None:
        await self._take_time()
        self.resolved.append((order_id, resolve))

    async def ping(self) -> None:
        await self._take_time()

    async def _take_time(self) -> None:
        await asyncio.sleep(self.delay)
        if self.fault is not None:
            raise self.fault
