"""Objects as the API shows them."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from devstack.emulators.common.jsonvalue import JSON
from devstack.emulators.stripe.cards import CARDS
from devstack.emulators.stripe.model import (
    Charge,
    Dispute,
    IntentStatus,
    PaymentIntent,
    PaymentMethod,
    Refund,
    RefundStatus,
    Stored,
    StoredEvent,
)
from devstack.emulators.stripe.outcomes import charge_outcome

Body: TypeAlias = dict[str, JSON]

_INTENT_NULLS = (
    "application", "application_fee_amount", "on_behalf_of", "payment_method_configuration_details",
    "processing", "review", "source", "transfer_data", "transfer_group",
)  # fmt: skip
ECHOED = (
    "customer", "description", "receipt_email", "setup_future_usage", "shipping",
    "statement_descriptor", "statement_descriptor_suffix",
)  # fmt: skip


class Renderer:
    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def render(self, stored: Stored) -> Body:
        match stored:
            case PaymentIntent():
                return self.payment_intent(stored)
            case Charge():
                return _charge(stored)
            case Refund():
                return _refund(stored)
            case Dispute():
                return _dispute(stored)
            case PaymentMethod():
                return payment_method(stored)

    def payment_intent(self, intent: PaymentIntent) -> Body:
        capturable = intent.amount if intent.status == IntentStatus.REQUIRES_CAPTURE else 0
        methods = intent.automatic_payment_methods
        body: Body = {
            "id": intent.id,
            "object": "payment_intent",
            "amount": intent.amount,
            "amount_capturable": capturable,
            "amount_details": {"tip": {}},
            "amount_received": intent.amount_received,
            "automatic_payment_methods": {"allow_redirects": methods, "enabled": True} if methods else None,
            "canceled_at": _seconds(intent.canceled_at),
            "cancellation_reason": intent.cancellation_reason,
            "capture_method": intent.capture_method,
            "client_secret": intent.client_secret,
            "confirmation_method": intent.confirmation_method,
            "created": int(intent.created),
            "currency": intent.currency,
            "last_payment_error": intent.last_payment_error,
            "latest_charge": intent.latest_charge,
            "livemode": False,
            "metadata": dict(intent.metadata),
            "next_action": self._next_action(intent),
            "payment_method": intent.payment_method,
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": list(intent.payment_method_types),
            "status": intent.status,
        }
        body.update({name: intent.echoed.get(name) for name in ECHOED})
        body.update(dict.fromkeys(_INTENT_NULLS))
        return body

    def authentication_url(self, intent: PaymentIntent) -> str:
        return f"{self._base_url}/_emulator/3ds/{intent.id}"

    def _next_action(self, intent: PaymentIntent) -> Body | None:
        """A redirect where the merchant named a page to come back to, else a step for Stripe.js."""
        if intent.status != IntentStatus.REQUIRES_ACTION:
            return None
        url = self.authentication_url(intent)
        if intent.return_url is None:
            step: Body = {"type": "three_d_secure_redirect", "stripe_js": url}
            return {"type": "use_stripe_sdk", "use_stripe_sdk": step}
        redirect: Body = {"return_url": intent.return_url, "url": url}
        return {"type": "redirect_to_url", "redirect_to_url": redirect}


def payment_method(method: PaymentMethod) -> Body:
    return {
        "id": method.id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "card": _card(method.token),
        "created": int(method.created),
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def event(stored: StoredEvent) -> Body:
    return {**stored.body, "pending_webhooks": 0 if stored.settled else 1}


def page(url: str, data: Sequence[JSON], *, has_more: bool) -> Body:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def _card(token: str) -> Body:
    card = CARDS[token]
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": f"fp{card.last4}{card.brand}",
        "funding": "debit" if token.endswith("debit") else "credit",
        "last4": card.last4,
        "network": card.brand,
        "three_d_secure": None,
        "wallet": None,
    }


def _charge(charge: Charge) -> Body:
    amount_refunded = charge.refunded + charge.released
    paid = charge.status == "succeeded"
    return {
        "id": charge.id,
        "object": "charge",
        "amount": charge.amount,
        "amount_captured": charge.amount_captured,
        "amount_refunded": amount_refunded,
        "balance_transaction": None,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "captured": charge.captured,
        "created": int(charge.created),
        "currency": charge.currency,
        "customer": None,
        "description": charge.description,
        "disputed": charge.disputed,
        "failure_code": charge.failure_code,
        "failure_message": charge.failure_message,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(charge.metadata),
        "outcome": charge_outcome(charge),
        "paid": paid,
        "payment_intent": charge.payment_intent,
        "payment_method": charge.payment_method,
        "payment_method_details": _method_details(charge),
        "receipt_url": None,
        "refunded": paid and amount_refunded == charge.amount,
        "status": charge.status,
    }


def _method_details(charge: Charge) -> Body:
    card = _card(charge.token)
    if charge.capture_deadline is not None:
        card["capture_before"] = _seconds(charge.capture_deadline)
    card["amount_authorized"] = charge.amount if charge.status == "succeeded" else None
    card["multicapture"] = {"status": "unavailable"}
    card["extended_authorization"] = {"status": "disabled"}
    card["overcapture"] = {"maximum_amount_capturable": charge.amount, "status": "unavailable"}
    return {"card": card, "type": "card"}


def _refund(refund: Refund) -> Body:
    body: Body = {
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": None,
        "charge": refund.charge,
        "created": int(refund.created),
        "currency": refund.currency,
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": dict(refund.metadata),
        "payment_intent": refund.payment_intent,
        "reason": refund.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": refund.status,
        "transfer_reversal": None,
    }
    if refund.status == RefundStatus.FAILED:
        body["failure_reason"] = refund.failure_reason
    if refund.status == RefundStatus.PENDING:
        body["pending_reason"] = "processing"
    return body


def _dispute(dispute: Dispute) -> Body:
    return {
        "id": dispute.id,
        "object": "dispute",
        "amount": dispute.amount,
        "balance_transactions": [],
        "charge": dispute.charge,
        "created": int(dispute.created),
        "currency": dispute.currency,
        "evidence": {},
        "evidence_details": {
            "due_by": int(dispute.created) + 7 * 86_400,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": dispute.payment_intent,
        "reason": dispute.reason,
        "status": dispute.status,
    }


def _seconds(moment: float | None) -> int | None:
    return None if moment is None else int(moment)


def last_payment_error(error: Mapping[str, JSON], method: PaymentMethod | None) -> Body:
    body = {name: value for name, value in error.items() if name != "payment_intent"}
    body["payment_method"] = payment_method(method) if method else None
    return body
