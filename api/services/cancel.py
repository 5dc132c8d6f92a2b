"""Cancelling: the order's workflow asks the database, which can say no, and gives everything back."""

from api.deps import Call
from api.errors import Json, OrderNotCancellable, Unavailable
from api.idempotency import Slot
from api.problems import ProblemRenderer
from api.services.checkout import FirstAnswer
from api.situation import is_final
from api.views import order_view
from commerce.contracts.checkout import CancelAnswer, CancelOrder
from commerce.contracts.statuses import OrderState
from commerce.domain.errors import NotFound
from commerce.domain.messaging import StoredResponse
from commerce.domain.orders import Order, OrderView

OPERATION = "cancel"


async def cancel_order(call: Call, order: Order, reason: str, slot: Slot) -> FirstAnswer:
    """200 when goods and money are back, 202 while money is on its way, 409 after hand-over.

    The same on a cancelled order, by whatever key. Raises ProviderUnavailable while Temporal is down.
    """
    claim = await call.transact(lambda tx: slot.claim(tx, order.id))
    if claim.response is not None:
        return FirstAnswer(claim.response, replayed=True)
    try:
        answer = await call.gateway.workflows.cancel(
            order.id,
            CancelOrder(call.context, reason),
            update_id=slot.update_id,
            wait_seconds=call.gateway.settings.answer_within_seconds,
        )
    except NotFound:
        answer = await _without_workflow(call, order.id)
    async with call.gateway.database.reading() as tx:
        view = await tx.orders.view(order.id)
    if answer is None or (answer.accepted and not answer.money_returned):
        return FirstAnswer(StoredResponse(202, _body(view)), replayed=False)
    response = _final(call, answer, view)
    stored = await call.transact(lambda tx: slot.store(tx, response))
    return FirstAnswer(stored, replayed=not claim.created)


async def _without_workflow(call: Call, order_id: str) -> CancelAnswer:
    """The workflow has ended, so the order's state is the answer; or it has yet to be started."""
    async with call.gateway.database.reading() as tx:
        view = await tx.orders.view(order_id)
    state = view.order.order_state
    if state is OrderState.PENDING:
        raise Unavailable("The order is only just being started.", retry_after=5)
    if state is OrderState.CANCELLED:
        return CancelAnswer(True, view.order.status, money_returned=is_final(view))
    return CancelAnswer(False, view.order.status, refusal="the order is over")


def _final(call: Call, answer: CancelAnswer, view: OrderView) -> StoredResponse:
    if answer.accepted:
        return StoredResponse(200, _body(view))
    detail = f"It cannot be cancelled: {answer.refusal}." if answer.refusal else ""
    problem = OrderNotCancellable(detail, order_status=answer.status.value)
    return StoredResponse(
        problem.status, ProblemRenderer(call.gateway.settings.public_url).document(problem, call.path)
    )


def _body(view: OrderView) -> Json:
    document: Json = order_view(view).model_dump(mode="json")
    return document
