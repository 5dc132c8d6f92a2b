"""`/v1/refunds`: limits, and an outcome that comes later."""

from devstack.emulators.stripe.cards import CARDS
from devstack.emulators.stripe.currencies import check_digits, display
from devstack.emulators.stripe.errors import ApiError, unexpected_state
from devstack.emulators.stripe.model import Charge, PaymentIntent, Refund, RefundStatus
from devstack.emulators.stripe.work import Answer, Work, new_id

_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(work: Work) -> Answer:
    params = work.params
    params.only("amount", "charge", "payment_intent", "reason", "metadata")
    charge = _charge_to_refund(work)
    intent = work.named(PaymentIntent, charge.payment_intent, "payment_intent")
    reason = params.choice("reason", _REASONS)
    metadata = params.merge_metadata({})
    asked = params.positive("amount")
    left = charge.amount_captured - charge.refunded
    _check_limits(charge, left, asked)
    refund = Refund(
        id=new_id("re"),
        created=work.now(),
        amount=work.shave(left if asked is None else asked),
        currency=charge.currency,
        charge=charge.id,
        payment_intent=intent.id,
        status=RefundStatus.PENDING,
        reason=reason,
        metadata=metadata,
    )
    charge.refunded += refund.amount
    _plan_outcome(work, charge, refund)
    work.save(refund, charge)
    work.record("refund.created", intent, refund.amount, charge=charge.id, refund=refund.id)
    if refund.status == RefundStatus.SUCCEEDED:
        work.record("refund.succeeded", intent, refund.amount, charge=charge.id, refund=refund.id)
    work.emit("refund.created", refund)
    work.emit("charge.refunded", charge)
    return work.show(refund)


def update(work: Work) -> Answer:
    work.params.only("metadata")
    refund = work.subject(Refund)
    refund.metadata = work.params.merge_metadata(refund.metadata)
    work.save(refund)
    work.emit("refund.updated", refund)
    return work.show(refund)


def outcome(work: Work, refund: Refund, charge: Charge, intent: PaymentIntent) -> None:
    """What the bank says in the end; a failed refund can be tried again, as its amount counts no more."""
    previous = refund.status
    refund.due = None
    refund.status = RefundStatus.FAILED if refund.fails else RefundStatus.SUCCEEDED
    if refund.fails:
        refund.failure_reason = "expired_or_canceled_card"
        charge.refunded -= refund.amount
    if refund.status != previous:
        work.record(f"refund.{refund.status}", intent, refund.amount, charge=charge.id, refund=refund.id)
        work.emit("refund.updated", refund, status=previous)
    if refund.fails:
        work.emit("refund.failed", refund)
    work.save(refund, charge)


def _charge_to_refund(work: Work) -> Charge:
    intent_id, charge_id = work.params.text("payment_intent"), work.params.text("charge")
    charge: Charge | None = None
    if charge_id is not None:
        charge = work.named(Charge, charge_id, "charge")
        intent_id = charge.payment_intent
    elif intent_id is None:
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise ApiError(message, "parameter_missing")
    else:
        intent = work.named(PaymentIntent, intent_id, "payment_intent")
        charge = work.get(Charge, intent.latest_charge or "")
    if charge is None or not charge.captured:
        message = f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
        raise unexpected_state(message, intent_id)
    return charge


def _check_limits(charge: Charge, left: int, asked: int | None) -> None:
    if charge.disputed:
        message = f"Charge {charge.id} has been charged back; cannot issue a refund."
        raise ApiError(message, "charge_disputed", executed=True)
    if left == 0:
        message = f"Charge {charge.id} has already been refunded."
        raise ApiError(message, "charge_already_refunded", executed=True)
    if asked is None:
        return
    if asked > left:
        wanted, most = display(asked, charge.currency), display(left, charge.currency)
        message = f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({most})"
        raise ApiError(message, "amount_too_large", "amount", executed=True)
    check_digits(asked, charge.currency)


def _plan_outcome(work: Work, charge: Charge, refund: Refund) -> None:
    """The card's own behaviour comes first, then the settings."""
    settings, card = work.settings, CARDS[charge.token]
    delay = settings.refund_delay_seconds
    refund.fails = card.refund == "fails"
    if card.refund is None and settings.refund_failures >= 1:
        settings.refund_failures -= 1
        refund.fails = True
    if card.refund == "fails" or (delay == 0 and card.refund != "pending"):
        refund.status = RefundStatus.SUCCEEDED
    if refund.status == RefundStatus.PENDING or refund.fails:
        refund.due = work.now() + delay
