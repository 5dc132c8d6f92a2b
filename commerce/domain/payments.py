"""How a payment and a refund take over what a provider says: by rank, whatever the order of the news."""

from collections.abc import Mapping
from dataclasses import replace

from commerce.contracts.statuses import PaymentStatus, RefundStatus
from commerce.domain.orders import Payment
from commerce.domain.providers import ProviderPayment

PAYMENT_RANK: Mapping[PaymentStatus, int] = {
    PaymentStatus.REQUESTED: 0,
    PaymentStatus.REQUIRES_ACTION: 1,
    PaymentStatus.PROCESSING: 2,
    PaymentStatus.DECLINED: 3,
    PaymentStatus.AUTHORISED: 4,
    PaymentStatus.CAPTURED: 5,
    PaymentStatus.VOIDED: 6,
}
"""A declined attempt may still be followed by a good one; an authorisation is undone by VOIDED only."""

REFUND_RANK: Mapping[RefundStatus, int] = {
    RefundStatus.REQUESTED: 0,
    RefundStatus.PENDING: 1,
    RefundStatus.SUCCEEDED: 2,
    RefundStatus.FAILED: 3,
}
"""A bank may send a succeeded refund back days later: FAILED has the last word."""


def advance(payment: Payment, facts: ProviderPayment) -> Payment:
    """The payment after the news. Sums only grow; `refunded` is counted by our own refunds, not here.

    A captured payment is never voided by news, a voided one keeps its status and still counts money
    that the provider took all the same: the books must show it.
    """
    captured = max(payment.captured, facts.captured)
    status = payment.status
    if PAYMENT_RANK[facts.status] > PAYMENT_RANK[status] and not (
        facts.status is PaymentStatus.VOIDED and captured
    ):
        status = facts.status
    moved = status is not payment.status
    return replace(
        payment,
        status=status,
        authorised=max(payment.authorised, facts.authorised, captured),
        captured=captured,
        provider_ref=payment.provider_ref or facts.provider_ref,
        action=(facts.action or payment.action) if status is PaymentStatus.REQUIRES_ACTION else None,
        decline_code=facts.decline_code if moved else payment.decline_code,
        capture_before=facts.capture_before or payment.capture_before,
        livemode=facts.livemode,
    )
