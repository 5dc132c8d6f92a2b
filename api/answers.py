"""What a checkout's outcome is over HTTP, also when only the database remembers it."""

from api.deps import Call
from api.errors import (
    CheckoutCancelled,
    Json,
    OutOfStock,
    PaymentDeclined,
    PriceChanged,
    Problem,
)
from api.problems import ProblemRenderer
from api.schemas.checkouts import ActionView, CheckoutView
from api.views import order_view, totals_view
from commerce.contracts.checkout import CheckoutAnswer, CheckoutStatus, RejectReason
from commerce.contracts.statuses import OrderState, PaymentStatus
from commerce.domain.allocation import shortages
from commerce.domain.messaging import StoredResponse
from commerce.domain.orders import OrderView, Totals
from commerce.domain.stock import HoldLine


def answer_of(
    answer: CheckoutAnswer, view: OrderView, call: Call, totals_now: Totals | None = None
) -> StoredResponse:
    """201 with the order, 202 while it is processing, 402 and 409 for what business refuses."""
    refusal = _refusal(answer, totals_now or view.order.totals)
    if refusal is not None:
        renderer = ProblemRenderer(call.gateway.settings.public_url)
        return StoredResponse(refusal.status, renderer.document(refusal, call.path))
    action = answer.action
    body = CheckoutView(
        order_id=answer.order_id,
        status=answer.status.value,
        action=ActionView(type=action.type, url=action.url, client_secret=action.client_secret)
        if action
        else None,
        order=order_view(view),
    )
    document: Json = body.model_dump(mode="json")
    return StoredResponse(202 if answer.status is CheckoutStatus.PROCESSING else 201, document)


def _refusal(answer: CheckoutAnswer, totals: Totals) -> Problem | None:
    order_id = answer.order_id
    match answer.status:
        case CheckoutStatus.DECLINED:
            return PaymentDeclined(answer.decline_code or "generic_decline", order_id)
        case CheckoutStatus.OUT_OF_STOCK:
            return OutOfStock(answer.shortages, order_id=order_id)
        case CheckoutStatus.PRICE_CHANGED:
            shown = totals_view(totals).model_dump(mode="json")
            return PriceChanged("Check out again with a new key.", order_id=order_id, totals=shown)
        case CheckoutStatus.CANCELLED:
            return CheckoutCancelled(order_id=order_id)
        case _:
            return None


async def rebuilt(call: Call, order_id: str) -> CheckoutAnswer | None:
    """The first answer as the order row tells it, once its workflow is over; None while it is pending."""
    async with call.gateway.database.reading() as tx:
        view = await tx.orders.view(order_id)
        short = {line.sku for line in view.lines}
        levels = await tx.stock.levels(sorted(short))
    status = _remembered_status(view)
    if status is None:
        return None
    lines = [HoldLine(line.line_no, line.sku, line.quantity) for line in view.lines]
    missing = shortages(lines, {sku: level.available for sku, level in levels.items()})
    return CheckoutAnswer(
        order_id,
        status,
        decline_code=_decline_code(view) if status is CheckoutStatus.DECLINED else None,
        shortages=missing if status is CheckoutStatus.OUT_OF_STOCK else [],
    )


def _remembered_status(view: OrderView) -> CheckoutStatus | None:
    order = view.order
    if order.placed_at is not None:
        return CheckoutStatus.PLACED
    if order.order_state is OrderState.PENDING:
        return None
    return _BY_REASON.get(order.cancel_reason or "", CheckoutStatus.CANCELLED)


_BY_REASON = {
    RejectReason.DECLINED.value: CheckoutStatus.DECLINED,
    RejectReason.PAYMENT_EXPIRED.value: CheckoutStatus.DECLINED,
    RejectReason.FAILED.value: CheckoutStatus.DECLINED,
    RejectReason.OUT_OF_STOCK.value: CheckoutStatus.OUT_OF_STOCK,
    RejectReason.PRICE_CHANGED.value: CheckoutStatus.PRICE_CHANGED,
}


def _decline_code(view: OrderView) -> str:
    declined = [payment for payment in view.payments if payment.status is PaymentStatus.DECLINED]
    if declined and declined[0].decline_code:
        return declined[0].decline_code
    expired = view.order.cancel_reason == RejectReason.PAYMENT_EXPIRED
    return "authentication_expired" if expired else "processing_error"
