"""Books what moved, in the transaction that takes the move over."""

from commerce.contracts.statuses import PaymentState
from commerce.domain import ledger
from commerce.domain.orders import Order, Payment, Refund
from commerce.domain.ports import UnitOfWork
from commerce.domain.refunds import tax_share


async def post_authorised(tx: UnitOfWork, payment: Payment) -> None:
    await tx.ledger.post(ledger.authorised(payment))


async def post_captured(tx: UnitOfWork, order: Order, before: Payment, after: Payment) -> None:
    """The first capture carries the order's tax, so that a payment of an order is taxed once."""
    tax = order.totals.tax if before.captured == 0 else 0
    await tx.ledger.post(ledger.captured(after, after.captured - before.captured, tax))


async def post_voided(tx: UnitOfWork, payment: Payment) -> None:
    await tx.ledger.post(ledger.voided(payment))


async def post_refunded(tx: UnitOfWork, payment: Payment, refund: Refund) -> None:
    view = await tx.orders.view(refund.order_id)
    await tx.ledger.post(ledger.refunded(payment, refund, tax_share(view.lines, view.refunds, refund)))


async def post_refund_failed(tx: UnitOfWork, payment: Payment, refund: Refund) -> None:
    view = await tx.orders.view(refund.order_id)
    share = tax_share(view.lines, view.refunds, refund)
    await tx.ledger.post(ledger.refund_failed(payment, refund, share))


def captured_state(payment: Payment) -> PaymentState:
    full = payment.captured >= payment.amount
    return PaymentState.CAPTURED if full else PaymentState.PARTIALLY_CAPTURED


def refunded_state(payment: Payment) -> PaymentState:
    if payment.refunded == 0:
        return captured_state(payment)
    full = payment.refunded >= payment.captured
    return PaymentState.REFUNDED if full else PaymentState.PARTIALLY_REFUNDED
