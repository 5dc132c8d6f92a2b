"""What the gateway asks of Temporal and of its codec."""

from collections.abc import Sequence
from typing import Protocol

from temporalio.api.common.v1 import Payload

from commerce.contracts.checkout import CancelAnswer, CancelOrder, CheckoutAnswer, ResolveCompensation
from commerce.contracts.context import RequestContext
from commerce.contracts.payments import RefundOutcome
from commerce.contracts.stock import ExtendReservation, ReservationAnswer, ReservationInput
from commerce.domain.orders import Order, Refund


class Workflows(Protocol):
    """Workflows as the gateway sees them. Every call raises ProviderUnavailable while Temporal is down.

    `update_id` names a call: the same one attaches to the first and gets its answer. Where `wait_seconds`
    is given, None says that there is no answer by then; the work goes on.
    """

    async def checkout(
        self, order: Order, context: RequestContext, *, update_id: str, wait_seconds: float
    ) -> CheckoutAnswer | None:
        """Starts the order's workflow, or attaches to it. Raises NotFound when it has ended already."""

    async def cancel(
        self, order_id: str, cancel: CancelOrder, *, update_id: str, wait_seconds: float
    ) -> CancelAnswer | None:
        """Raises NotFound when no workflow of the order runs."""

    async def refund(
        self,
        refund: Refund,
        order: Order,
        context: RequestContext,
        *,
        update_id: str,
        wait_seconds: float,
    ) -> RefundOutcome | None:
        """Carries out a stored refund."""

    async def reserve(
        self, reservation: ReservationInput, *, update_id: str, wait_seconds: float
    ) -> ReservationAnswer | None:
        """Starts the reservation's workflow, which holds the planned lines."""

    async def extend_reservation(
        self, reservation_id: str, extend: ExtendReservation, update_id: str
    ) -> ReservationAnswer:
        """Raises NotFound when the hold is over."""

    async def release_reservation(self, reservation_id: str, context: RequestContext) -> ReservationAnswer:
        """Raises NotFound when the hold is over."""

    async def resolve_compensation(self, order_id: str, resolve: ResolveCompensation, update_id: str) -> None:
        """Raises NotFound when no workflow runs, Conflict when the step is not parked."""

    async def ping(self) -> None: ...


class CodecDecoder(Protocol):
    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]: ...
