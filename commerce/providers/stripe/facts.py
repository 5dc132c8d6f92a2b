"""Stripe's objects in our own words."""

from datetime import UTC, datetime

import stripe

from commerce.contracts.checkout import PaymentAction
from commerce.contracts.statuses import PaymentStatus
from commerce.domain.errors import ProviderRefused
from commerce.domain.providers import ProviderPayment, ProviderRefund
from commerce.providers.stripe.amounts import from_stripe
from commerce.providers.stripe.statuses import PAYMENT_STATUS, REFUND_STATUS, IntentStatus


def payment_facts(intent: stripe.PaymentIntent) -> ProviderPayment:
    """`intent` has its latest charge expanded."""
    charge = intent.latest_charge if isinstance(intent.latest_charge, stripe.Charge) else None
    status = _status(intent)
    metadata = metadata_of(intent)
    return ProviderPayment(
        provider_ref=intent.id,
        status=status,
        amount=from_stripe(intent.amount, intent.currency),
        authorised=_ours(_authorised(charge), intent.currency),
        captured=_ours(intent.amount_received, intent.currency),
        refunded=_ours(_refunded(charge), intent.currency),
        order_id=metadata.get("order_id"),
        payment_id=metadata.get("payment_id"),
        action=_action(intent) if status is PaymentStatus.REQUIRES_ACTION else None,
        decline_code=_decline_code(intent) if status is PaymentStatus.DECLINED else None,
        capture_before=_capture_before(charge) if status is PaymentStatus.AUTHORISED else None,
        livemode=intent.livemode,
    )


def refund_facts(refund: stripe.Refund) -> ProviderRefund:
    status = REFUND_STATUS.get(refund.status or "")
    if status is None:
        raise ProviderRefused(f"Stripe: unknown refund status {refund.status!r}", code="unknown_status")
    failed = refund.status in {"failed", "canceled"}
    return ProviderRefund(
        provider_ref=refund.id,
        status=status,
        amount=from_stripe(refund.amount, refund.currency),
        refund_id=metadata_of(refund).get("refund_id"),
        failure_code=(getattr(refund, "failure_reason", None) or refund.status) if failed else None,
    )


def metadata_of(found: stripe.PaymentIntent | stripe.Refund) -> dict[str, str]:
    return found.metadata.to_dict() if found.metadata else {}


def intent_status(intent: stripe.PaymentIntent) -> IntentStatus:
    """Raises ProviderRefused for a word that the pinned version does not have."""
    try:
        return IntentStatus(intent.status)
    except ValueError as error:
        raise ProviderRefused(f"Stripe: unknown status {intent.status!r}", code="unknown_status") from error


def _status(intent: stripe.PaymentIntent) -> PaymentStatus:
    theirs = intent_status(intent)
    if theirs is IntentStatus.REQUIRES_PAYMENT_METHOD and intent.last_payment_error is not None:
        return PaymentStatus.DECLINED
    return PAYMENT_STATUS[theirs]


def _decline_code(intent: stripe.PaymentIntent) -> str | None:
    """The SDK has no attribute for a field that is absent."""
    error = intent.last_payment_error
    return getattr(error, "decline_code", None) or getattr(error, "code", None)


def _action(intent: stripe.PaymentIntent) -> PaymentAction:
    """A page to go to, or a step for Stripe's browser library; that needs the client secret."""
    step = intent.next_action
    if step is not None and step.type == "redirect_to_url" and step.redirect_to_url is not None:
        return PaymentAction("redirect_to_url", step.redirect_to_url.url, intent.client_secret)
    return PaymentAction("use_stripe_sdk", None, intent.client_secret)


def _authorised(charge: stripe.Charge | None) -> int:
    return charge.amount if charge is not None and charge.status == "succeeded" else 0


def _refunded(charge: stripe.Charge | None) -> int:
    """What a partial capture released counts as refunded at Stripe; it was never taken."""
    if charge is None or not charge.captured:
        return 0
    return max(charge.amount_refunded - (charge.amount - charge.amount_captured), 0)


def _capture_before(charge: stripe.Charge | None) -> datetime | None:
    details = charge.payment_method_details if charge is not None else None
    card = details.card if details is not None else None
    stamp = getattr(card, "capture_before", None)
    return datetime.fromtimestamp(stamp, UTC) if stamp is not None else None


def _ours(amount: int, currency: str) -> int:
    return from_stripe(amount, currency).amount
