"""Giving money back: the refund is stored under the payment's lock, then its workflow carries it out."""

from api.deps import Call, ownership_of_order
from api.errors import Fault, InvalidRefund, Json, RefundExceedsCaptured, RefundRefused, UnsupportedCurrency
from api.idempotency import Slot
from api.problems import ProblemRenderer
from api.schemas.orders import RefundCreate
from api.services.checkout import FirstAnswer
from api.views import refund_view
from commerce.contracts.ids import REFUND, new_id
from commerce.contracts.money import Money
from commerce.contracts.payments import RefundOutcome
from commerce.contracts.statuses import RefundStatus
from commerce.domain.errors import ProviderUnavailable
from commerce.domain.messaging import IdempotencyClaim, StoredResponse
from commerce.domain.orders import NewRefund, Order, OrderView, Refund
from commerce.domain.ports import UnitOfWork
from commerce.domain.refunds import UnknownPieces, refund_pieces, remaining_amount, remaining_pieces

OPERATION = "refund"


async def refund_order(call: Call, order_id: str, payload: RefundCreate, slot: Slot) -> FirstAnswer:
    """Raises RefundExceedsCapture with nothing stored. 202 while the provider has not been reached yet."""
    async with call.gateway.database.reading() as tx:
        order = await tx.orders.get(order_id)
    call.access.require(ownership_of_order(order))
    claim = await call.transact(lambda tx: _store_intent(tx, order, payload, slot))
    if claim.response is not None:
        return FirstAnswer(claim.response, replayed=True)
    async with call.gateway.database.reading() as tx:
        refund = await tx.payments.refund(claim.object_id)
    outcome = await _carry_out(call, refund, order, slot)
    async with call.gateway.database.reading() as tx:
        refund = await tx.payments.refund(claim.object_id)
    if outcome is None and refund.status is RefundStatus.REQUESTED:
        return FirstAnswer(StoredResponse(202, _body(refund)), replayed=False)
    response = _response(call, refund)
    stored = await call.transact(lambda tx: slot.store(tx, response))
    return FirstAnswer(stored, replayed=not claim.created)


async def _store_intent(tx: UnitOfWork, order: Order, payload: RefundCreate, slot: Slot) -> IdempotencyClaim:
    claim = await slot.claim(tx, new_id(REFUND))
    if not claim.created:
        return claim
    payment = await tx.payments.get(order.payment_id, lock=True)
    view = await tx.orders.view(order.id)
    refund = _planned(claim.object_id, view, payment.captured, payload)
    await tx.payments.create_refund(refund)
    facts: dict[str, str | int | bool | None] = {"refund_id": refund.id, "amount": refund.amount}
    await tx.audit.add("refund.request", "refund", refund.id, after={**facts, "reason": refund.reason})
    amount = Money(refund.amount, payment.currency)
    await tx.timeline.add(order.id, "refund_requested", f"{amount} is to be given back.", facts)
    return claim


def _planned(refund_id: str, view: OrderView, captured: int, payload: RefundCreate) -> NewRefund:
    """Raises the problem that names the field, or RefundExceedsCaptured when nothing is left."""
    order = view.order
    if payload.lines is not None:
        try:
            wanted = [(line.line_no, line.quantity) for line in payload.lines]
            lines = refund_pieces(view.lines, view.refunds, wanted)
        except UnknownPieces as error:
            fault = Fault(str(error), f"/lines/{error.index}", {"line_no": error.line_no})
            raise InvalidRefund(faults=[fault]) from error
        amount = sum(line.amount for line in lines)
    elif payload.amount is not None:
        if payload.amount.currency != order.totals.currency:
            fault = Fault(f"the order is in {order.totals.currency}", "/amount/currency")
            raise UnsupportedCurrency(faults=[fault])
        lines, amount = [], payload.amount.amount
    else:
        lines = remaining_pieces(view.lines, view.refunds)
        amount = remaining_amount(captured, view.refunds)
        if amount <= 0:
            raise RefundExceedsCaptured("Nothing is left to give back.", refundable=0)
    if amount <= 0:
        raise InvalidRefund(faults=[Fault("a refund of nothing", "/amount")])
    return NewRefund(refund_id, order.id, order.payment_id, amount, payload.reason, lines)


async def _carry_out(call: Call, refund: Refund, order: Order, slot: Slot) -> RefundOutcome | None:
    try:
        return await call.gateway.workflows.refund(
            refund,
            order,
            call.context,
            update_id=slot.update_id,
            wait_seconds=call.gateway.settings.answer_within_seconds,
        )
    except ProviderUnavailable:
        return None


def _response(call: Call, refund: Refund) -> StoredResponse:
    if refund.status is not RefundStatus.FAILED:
        return StoredResponse(201, _body(refund))
    problem = RefundRefused(failure_code=refund.failure_code, refund_id=refund.id)
    renderer = ProblemRenderer(call.gateway.settings.public_url)
    return StoredResponse(problem.status, renderer.document(problem, call.path))


def _body(refund: Refund) -> Json:
    document: Json = refund_view(refund).model_dump(mode="json")
    return document
