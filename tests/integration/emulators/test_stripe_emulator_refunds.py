"""Refunds and disputes at the Stripe emulator: limits, late outcomes, failures."""

from typing import Any

import pytest
import stripe

from tests.integration.emulators.stripe_desk import StripeDesk


async def status_of(desk: StripeDesk, refund: Any) -> str:
    return str((await desk.v1.refunds.retrieve_async(refund.id)).status)


async def test_a_refund_is_pending_until_the_bank_has_it(desk: StripeDesk) -> None:
    intent = await desk.captured()

    refund = await desk.refund(intent, 1000, reason="requested_by_customer", metadata={"line": "1"})

    assert (refund.status, refund.amount, refund.currency) == ("pending", 1000, "gbp")
    assert await desk.totals() == {"captured": {"gbp": 3999}, "refund_pending": {"gbp": 1000}}
    updated, *_ = await desk.events(intent, "refund.updated")
    assert updated.subject["status"] == "succeeded"
    assert updated.event["data"]["previous_attributes"] == {"status": "pending"}
    assert await status_of(desk, refund) == "succeeded"
    assert await desk.totals() == {"captured": {"gbp": 3999}, "refunded": {"gbp": 1000}}
    assert (await desk.journal())[2:] == [("refund.created", 1000), ("refund.succeeded", 1000)]


async def test_refunds_never_add_up_to_more_than_was_captured(desk: StripeDesk) -> None:
    await desk.settings(refund_delay_seconds=0)
    intent = await desk.captured(amount=1000)
    assert (await desk.refund(intent, 700)).status == "succeeded"

    with pytest.raises(stripe.InvalidRequestError) as too_much:
        await desk.refund(intent, 301)
    assert (too_much.value.param, too_much.value.http_status) == ("amount", 400)
    assert (await desk.refund(intent)).amount == 300
    with pytest.raises(stripe.InvalidRequestError) as again:
        await desk.refund(intent, 1)

    assert again.value.code == "charge_already_refunded"
    assert (await desk.retrieve(intent.id)).latest_charge.refunded is True
    assert await desk.totals() == {"captured": {"gbp": 1000}, "refunded": {"gbp": 1000}}


async def test_the_limit_is_what_was_captured_not_what_was_authorised(desk: StripeDesk) -> None:
    intent = await desk.create(amount=1000)
    await desk.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 400})

    with pytest.raises(stripe.InvalidRequestError):
        await desk.refund(intent, 401)
    assert (await desk.refund(intent)).amount == 400


async def test_a_pending_refund_counts_against_the_limit(desk: StripeDesk) -> None:
    await desk.settings(refund_delay_seconds=60)
    intent = await desk.captured(amount=1000)
    await desk.refund(intent, 1000)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await desk.refund(intent, 1)
    assert refused.value.code == "charge_already_refunded"


async def test_a_hold_cannot_be_refunded(desk: StripeDesk) -> None:
    intent = await desk.create()

    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        await desk.refund(intent)
    assert await desk.totals() == {"authorised": {"gbp": 3999}}


async def test_a_refund_that_fails_can_be_tried_again(desk: StripeDesk) -> None:
    await desk.settings(refund_failures=1, refund_delay_seconds=0.1)
    intent = await desk.captured()

    first = await desk.refund(intent)
    failed, *_ = await desk.events(intent, "refund.failed")

    assert (failed.subject["id"], failed.subject["status"]) == (first.id, "failed")
    assert failed.subject["failure_reason"] == "expired_or_canceled_card"
    assert (await desk.retrieve(intent.id)).latest_charge.amount_refunded == 0
    assert await desk.totals() == {"captured": {"gbp": 3999}}
    await desk.settings(refund_delay_seconds=0)
    assert (await desk.refund(intent)).status == "succeeded"
    assert await desk.totals() == {"captured": {"gbp": 3999}, "refunded": {"gbp": 3999}}


async def test_the_card_whose_refund_fails_seems_to_succeed_first(desk: StripeDesk) -> None:
    intent = await desk.captured("pm_card_refundFail")

    refund = await desk.refund(intent, 500)

    assert refund.status == "succeeded"
    await desk.events(intent, "refund.failed")
    assert await status_of(desk, refund) == "failed"
    assert [kind for kind, _ in await desk.journal()][2:] == [
        "refund.created",
        "refund.succeeded",
        "refund.failed",
    ]


async def test_refunds_are_listed_by_payment(desk: StripeDesk) -> None:
    intent, other = await desk.captured(), await desk.captured()
    first, second = await desk.refund(intent, 100), await desk.refund(intent, 200)
    await desk.refund(other, 300)

    listed = await desk.v1.refunds.list_async({"payment_intent": intent.id})

    assert [refund.id for refund in listed.data] == [second.id, first.id]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"amount": 0}, "amount"),
        ({"reason": "whim"}, "reason"),
        ({"payment_intent": "pi_x"}, "payment_intent"),
    ],
)
async def test_a_bad_refund_moves_nothing(desk: StripeDesk, params: dict[str, Any], param: str) -> None:
    intent = await desk.captured()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await desk.refund(intent, **params)

    assert refused.value.param == param
    assert await desk.totals() == {"captured": {"gbp": 3999}}


async def test_a_disputed_charge_is_not_refunded_as_well(desk: StripeDesk) -> None:
    intent = await desk.captured("pm_card_createDispute")

    created, *_ = await desk.events(intent, "charge.dispute.created")

    assert (created.subject["amount"], created.subject["status"]) == (3999, "needs_response")
    assert (await desk.retrieve(intent.id)).latest_charge.disputed is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await desk.refund(intent)
    assert refused.value.code == "charge_disputed"
    assert await desk.totals() == {"captured": {"gbp": 3999}, "disputed": {"gbp": 3999}}


@pytest.mark.parametrize(
    ("evidence", "status", "disputed"),
    [("winning_evidence", "won", {}), ("losing_evidence", "lost", {"disputed": {"gbp": 3999}})],
)
async def test_a_dispute_is_decided_by_the_evidence(
    desk: StripeDesk, evidence: str, status: str, disputed: dict[str, Any]
) -> None:
    await desk.settings(dispute_delay_seconds=0)
    intent = await desk.captured("pm_card_createDispute")
    await desk.events(intent, "charge.dispute.created")
    dispute = (await desk.v1.disputes.list_async({"payment_intent": intent.id})).data[0]

    answered: Any = {"evidence": {"uncategorized_text": evidence}}
    closed = await desk.v1.disputes.update_async(dispute.id, answered)

    assert closed.status == status
    await desk.events(intent, "charge.dispute.closed")
    assert await desk.totals() == {"captured": {"gbp": 3999}, **disputed}
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        await desk.v1.disputes.close_async(dispute.id)
