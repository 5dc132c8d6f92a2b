"""How a charge came out, in the words of its `outcome`."""

from devstack.emulators.common.jsonvalue import JSON
from devstack.emulators.stripe.model import Charge


def charge_outcome(charge: Charge) -> dict[str, JSON]:
    if charge.status == "succeeded":
        return _outcome("approved_by_network", None, "normal", "Payment complete.", "authorized")
    if charge.blocked:
        message = "Stripe blocked this payment as too risky."
        return _outcome("not_sent_to_network", "highest_risk_level", "highest", message, "blocked")
    message = "The bank did not return any further details with this decline."
    return _outcome("declined_by_network", charge.decline_code, "normal", message, "issuer_declined")


def _outcome(network: str, reason: str | None, risk: str, message: str, kind: str) -> dict[str, JSON]:
    return {
        "network_status": network,
        "reason": reason,
        "risk_level": risk,
        "seller_message": message,
        "type": kind,
    }
