"""Stripe's test payment methods and what each card does."""

from dataclasses import dataclass

VELOCITY_MESSAGE = (
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit."
)


@dataclass(frozen=True)
class Decline:
    code: str
    decline_code: str
    message: str
    blocked: bool = False
    """Stopped by Stripe's own fraud check, never sent to the issuer."""


@dataclass(frozen=True)
class Card:
    brand: str = "visa"
    last4: str = "4242"
    decline: Decline | None = None
    needs_authentication: bool = False
    disputed: bool = False
    refund: str | None = None
    """`pending`: a refund succeeds later; `fails`: it seems to succeed and fails later."""


_DECLINED = "Your card was declined."
GENERIC = Decline("card_declined", "generic_decline", _DECLINED)
INSUFFICIENT = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.")
BAD_CVC = Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
PROCESSING = Decline(
    "processing_error",
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
)
LOST = Decline("card_declined", "lost_card", _DECLINED)
STOLEN = Decline("card_declined", "stolen_card", _DECLINED)
VELOCITY = Decline("card_declined", "card_velocity_exceeded", VELOCITY_MESSAGE)
FRAUDULENT = Decline("card_declined", "fraudulent", _DECLINED, blocked=True)
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)

_DECLINES = {
    "chargeDeclined": ("0002", GENERIC),
    "chargeDeclinedInsufficientFunds": ("9995", INSUFFICIENT),
    "chargeDeclinedLostCard": ("9987", LOST),
    "chargeDeclinedStolenCard": ("9979", STOLEN),
    "chargeDeclinedExpiredCard": ("0069", EXPIRED),
    "chargeDeclinedIncorrectCvc": ("0127", BAD_CVC),
    "chargeDeclinedProcessingError": ("0119", PROCESSING),
    "chargeDeclinedVelocityLimitExceeded": ("6975", VELOCITY),
    "chargeDeclinedFraudulent": ("0019", FRAUDULENT),
}

CARDS: dict[str, Card] = {
    "pm_card_visa": Card(),
    "pm_card_visa_debit": Card(last4="5556"),
    "pm_card_mastercard": Card("mastercard", "4444"),
    "pm_card_amex": Card("amex", "8431"),
    "pm_card_gb": Card(last4="0000"),
    "pm_card_authenticationRequired": Card(last4="3184", needs_authentication=True),
    "pm_card_threeDSecure2Required": Card(last4="3220", needs_authentication=True),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": Card(
        last4="3178", needs_authentication=True, decline=INSUFFICIENT
    ),
    "pm_card_radarBlock": Card(last4="0019", decline=FRAUDULENT),
    "pm_card_createDispute": Card(last4="0259", disputed=True),
    "pm_card_pendingRefund": Card(last4="7726", refund="pending"),
    "pm_card_refundFail": Card(last4="5126", refund="fails"),
    **{f"pm_card_{name}": Card(last4=last4, decline=why) for name, (last4, why) in _DECLINES.items()},
    **{f"pm_card_visa_{name}": Card(last4=last4, decline=why) for name, (last4, why) in _DECLINES.items()},
}
