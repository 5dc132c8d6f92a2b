"""`/v1/disputes`: accept one, or answer it with Stripe's test evidence."""

from devstack.emulators.stripe.errors import ApiError
from devstack.emulators.stripe.model import Charge, Dispute, DisputeStatus, PaymentIntent
from devstack.emulators.stripe.work import Answer, Work

_VERDICTS = {"winning_evidence": DisputeStatus.WON, "losing_evidence": DisputeStatus.LOST}


def update(work: Work) -> Answer:
    """`evidence[uncategorized_text]` of `winning_evidence` or `losing_evidence` decides at once."""
    work.params.only("evidence", "submit", "metadata")
    dispute = work.subject(Dispute, "dispute")
    evidence = work.params.group("evidence")
    text = evidence.text("uncategorized_text") if evidence else None
    submit = work.params.flag("submit") is not False
    _check_open(dispute)
    verdict = _VERDICTS.get(text or "")
    if verdict is not None and submit:
        _close(work, dispute, verdict)
    return work.show(dispute)


def close(work: Work) -> Answer:
    """Accepting it is losing it."""
    work.params.only()
    dispute = work.subject(Dispute, "dispute")
    _check_open(dispute)
    _close(work, dispute, DisputeStatus.LOST)
    return work.show(dispute)


def _check_open(dispute: Dispute) -> None:
    if dispute.status != DisputeStatus.NEEDS_RESPONSE:
        raise ApiError("This dispute is already closed", executed=True)


def _close(work: Work, dispute: Dispute, verdict: DisputeStatus) -> None:
    charge = work.named(Charge, dispute.charge, "charge")
    intent = work.named(PaymentIntent, dispute.payment_intent, "payment_intent")
    dispute.status = verdict
    work.save(dispute)
    work.emit("charge.dispute.closed", dispute)
    if verdict is DisputeStatus.WON:
        work.emit("charge.dispute.funds_reinstated", dispute)
    work.record(f"dispute.{verdict.value}", intent, dispute.amount, charge=charge.id, dispute=dispute.id)
