"""The life of a card payment: attempt, authentication, authorisation, capture, release, dispute."""

from devstack.emulators.common.jsonvalue import JSON
from devstack.emulators.stripe.cards import AUTHENTICATION_REQUIRED, CARDS, Card, Decline
from devstack.emulators.stripe.errors import ErrorType, doc_url
from devstack.emulators.stripe.model import (
    Charge,
    Dispute,
    DisputeStatus,
    IntentStatus,
    PaymentIntent,
    PaymentMethod,
)
from devstack.emulators.stripe.render import Body, last_payment_error
from devstack.emulators.stripe.work import Answer, Work, new_id

AUTHENTICATION_FAILED = "payment_intent_authentication_failure"


def attempt(work: Work, intent: PaymentIntent, *, allow_action: bool) -> Answer:
    """Charge the intent's card. 402 on a decline, whose traces stay: it is a result, not an error."""
    card = CARDS[work.method_of(intent).token]
    if not card.needs_authentication:
        return _charge(work, intent, card, card.decline)
    if not allow_action:
        return _charge(work, intent, card, AUTHENTICATION_REQUIRED)
    intent.status = IntentStatus.REQUIRES_ACTION
    work.save(intent)
    work.emit("payment_intent.requires_action", intent)
    work.record("payment_intent.requires_action", intent, intent.amount)
    return work.show(intent)


def authenticated(work: Work, intent: PaymentIntent) -> Answer:
    card = CARDS[work.method_of(intent).token]
    return _charge(work, intent, card, card.decline)


def authentication_failed(work: Work, intent: PaymentIntent) -> Answer:
    message = (
        "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a "
        "new PaymentMethod to attempt to fulfill this PaymentIntent again."
    )
    error: Body = {
        "code": AUTHENTICATION_FAILED,
        "doc_url": doc_url(AUTHENTICATION_FAILED),
        "message": message,
        "type": ErrorType.INVALID_REQUEST.value,
    }
    _back_to_start(work, intent, error)
    work.record("payment_intent.declined", intent, intent.amount, decline_code=AUTHENTICATION_FAILED)
    return work.show(intent)


def capture(work: Work, intent: PaymentIntent, charge: Charge, amount: int) -> None:
    """Take `amount`, release the rest of the hold. The caller has checked state and limit."""
    charge.captured = True
    charge.amount_captured = amount
    charge.released = charge.amount - amount
    intent.status = IntentStatus.SUCCEEDED
    intent.amount_received = amount
    card = CARDS[charge.token]
    if card.disputed:
        charge.dispute_due = work.now() + work.settings.dispute_delay_seconds
    work.save(charge, intent)
    work.record("payment_intent.captured", intent, amount, charge=charge.id, released=charge.released)


def release(work: Work, intent: PaymentIntent, reason: str | None, *, expired: bool = False) -> None:
    """End an uncaptured intent, giving an authorised amount back."""
    held = work.get(Charge, intent.latest_charge or "")
    released = 0
    if held is not None and intent.status == IntentStatus.REQUIRES_CAPTURE:
        released = held.released = held.amount
        work.save(held)
        work.emit("charge.expired" if expired else "charge.refunded", held)
    intent.status = IntentStatus.CANCELED
    intent.canceled_at = work.now()
    intent.cancellation_reason = reason
    work.save(intent)
    work.emit("payment_intent.canceled", intent)
    work.record("payment_intent.canceled", intent, released, reason=reason)


def open_dispute(work: Work, charge: Charge, intent: PaymentIntent) -> None:
    charge.disputed = True
    charge.dispute_due = None
    amount = charge.amount_captured - charge.refunded
    dispute = Dispute(
        id=new_id("dp"),
        created=work.now(),
        amount=amount,
        currency=charge.currency,
        charge=charge.id,
        payment_intent=intent.id,
        status=DisputeStatus.NEEDS_RESPONSE,
    )
    work.save(charge, dispute)
    work.emit("charge.dispute.created", dispute)
    work.emit("charge.dispute.funds_withdrawn", dispute)
    work.record("dispute.created", intent, amount, charge=charge.id, dispute=dispute.id)


def _charge(work: Work, intent: PaymentIntent, card: Card, decline: Decline | None) -> Answer:
    method = work.method_of(intent)
    charge = Charge(
        id=new_id("ch"),
        created=work.now(),
        amount=intent.amount,
        currency=intent.currency,
        payment_intent=intent.id,
        payment_method=method.id,
        token=method.token,
        status="failed" if decline else "succeeded",
        metadata=dict(intent.metadata),
        description=_text(intent.echoed.get("description")),
    )
    intent.latest_charge = charge.id
    if decline is not None:
        return _declined(work, intent, charge, decline, method)
    intent.last_payment_error = None
    _authorised(work, intent, charge)
    return work.show(intent)


def _authorised(work: Work, intent: PaymentIntent, charge: Charge) -> None:
    manual = intent.capture_method == "manual"
    if manual:
        charge.capture_deadline = work.now() + work.settings.capture_window_seconds
        intent.status = IntentStatus.REQUIRES_CAPTURE
    work.save(charge, intent)
    work.record("payment_intent.authorised", intent, charge.amount, charge=charge.id)
    if not manual:
        capture(work, intent, charge, charge.amount)
    work.emit("charge.succeeded", charge)
    work.emit("payment_intent.amount_capturable_updated" if manual else "payment_intent.succeeded", intent)


def _declined(
    work: Work, intent: PaymentIntent, charge: Charge, decline: Decline, method: PaymentMethod
) -> Answer:
    charge.failure_code, charge.failure_message = decline.code, decline.message
    charge.decline_code, charge.blocked = decline.decline_code, decline.blocked
    error: Body = {
        "charge": charge.id,
        "code": decline.code,
        "decline_code": decline.decline_code,
        "doc_url": doc_url(decline.code),
        "message": decline.message,
        "type": ErrorType.CARD.value,
    }
    work.save(charge)
    work.emit("charge.failed", charge)
    _back_to_start(work, intent, error)
    work.record(
        "payment_intent.declined",
        intent,
        charge.amount,
        charge=charge.id,
        decline_code=decline.decline_code,
    )
    shown = last_payment_error(error, method)
    shown["payment_intent"] = work.world.renderer.render(intent)
    return Answer(402, {"error": shown})


def _back_to_start(work: Work, intent: PaymentIntent, error: Body) -> None:
    """A failed attempt takes the payment method off, so that another can be tried."""
    intent.last_payment_error = last_payment_error(error, work.method_of(intent))
    intent.payment_method = None
    intent.status = IntentStatus.REQUIRES_PAYMENT_METHOD
    work.save(intent)
    work.emit("payment_intent.payment_failed", intent)


def _text(value: JSON) -> str | None:
    return value if isinstance(value, str) else None
