from datetime import UTC, datetime
from itertools import permutations

import psycopg
import pytest
from integration.persistence.builders import CONTEXT, captured_order, create_order, facts
from sqlalchemy.exc import IntegrityError

from commerce.contracts.checkout import PaymentAction
from commerce.contracts.statuses import PaymentStatus, RefundStatus
from commerce.domain import ledger
from commerce.domain.errors import Conflict, NotFound, RefundExceedsCapture
from commerce.domain.messaging import LedgerTransaction, Posting
from commerce.domain.orders import NewRefund, Order, Payment, RefundLine
from commerce.domain.providers import ProviderPayment
from commerce.persistence.database import SqlDatabase

DEADLINE = datetime(2026, 12, 1, tzinfo=UTC)
ACTION = PaymentAction("redirect", "https://bank.example", "secret")


async def record(db: SqlDatabase, order: Order, *news: ProviderPayment) -> Payment:
    async with db.transaction(CONTEXT) as tx:
        for piece in news:
            await tx.payments.record(order.payment_id, piece)
        return await tx.payments.get(order.payment_id)


def refund_of(order: Order, refund_id: str, amount: int, *lines: RefundLine) -> NewRefund:
    return NewRefund(refund_id, order.id, order.payment_id, amount, "broken", list(lines))


async def test_record_takes_over_what_the_provider_says(db: SqlDatabase) -> None:
    order = await create_order(db)
    waiting = await record(db, order, facts(PaymentStatus.REQUIRES_ACTION, action=ACTION))
    assert (waiting.status, waiting.action, waiting.provider_ref) == (
        PaymentStatus.REQUIRES_ACTION,
        ACTION,
        "pi_1",
    )
    paid = await record(db, order, facts(PaymentStatus.AUTHORISED, authorised=1500, capture_before=DEADLINE))
    assert (paid.status, paid.action, paid.authorised, paid.captured, paid.capture_before) == (
        PaymentStatus.AUTHORISED,
        None,
        1500,
        0,
        DEADLINE,
    )
    async with db.reading() as tx:
        assert await tx.payments.find("stripe", "pi_1") == paid
        assert await tx.payments.find("stripe", "pi_2") is None


async def test_news_in_any_order_ends_the_same(db: SqlDatabase) -> None:
    news = [
        facts(PaymentStatus.REQUIRES_ACTION, action=ACTION),
        facts(PaymentStatus.DECLINED, decline_code="insufficient_funds"),
        facts(PaymentStatus.AUTHORISED, authorised=1500),
        facts(PaymentStatus.CAPTURED, authorised=1500, captured=1500),
    ]
    for number, order_of_news in enumerate(permutations(news)):
        order = await create_order(db)
        renamed = [
            ProviderPayment(**{**vars(piece), "provider_ref": f"pi_{number}"}) for piece in order_of_news
        ]
        payment = await record(db, order, *renamed)
        assert (payment.status, payment.authorised, payment.captured, payment.action) == (
            PaymentStatus.CAPTURED,
            1500,
            1500,
            None,
        )


async def test_sums_of_captures_only_grow(db: SqlDatabase) -> None:
    order = await create_order(db)
    part = facts(PaymentStatus.CAPTURED, authorised=1500, captured=500)
    whole = facts(PaymentStatus.CAPTURED, authorised=1500, captured=1500)
    assert (await record(db, order, part)).captured == 500
    assert (await record(db, order, whole, part)).captured == 1500


async def test_a_voided_payment_stays_voided_and_still_counts_money_that_was_taken(db: SqlDatabase) -> None:
    order = await create_order(db)
    async with db.transaction(CONTEXT) as tx:
        assert (await tx.payments.mark_voided(order.payment_id)).status is PaymentStatus.VOIDED
    late = await record(db, order, facts(PaymentStatus.AUTHORISED, authorised=1500))
    assert (late.status, late.authorised) == (PaymentStatus.VOIDED, 1500)
    taken = await record(db, order, facts(PaymentStatus.CAPTURED, authorised=1500, captured=1500))
    assert (taken.status, taken.captured) == (PaymentStatus.VOIDED, 1500)


async def test_a_captured_payment_cannot_be_voided(db: SqlDatabase) -> None:
    order = await captured_order(db)
    with pytest.raises(Conflict):
        async with db.transaction(CONTEXT) as tx:
            await tx.payments.mark_voided(order.payment_id)
    voided = facts(PaymentStatus.VOIDED, provider_ref=f"pi_{order.id}")
    assert (await record(db, order, voided)).status is PaymentStatus.CAPTURED


async def test_refunds_never_exceed_the_capture_counting_those_under_way(db: SqlDatabase) -> None:
    order = await captured_order(db)
    async with db.transaction(CONTEXT) as tx:
        await tx.payments.create_refund(refund_of(order, "r1", 600))
        await tx.payments.create_refund(refund_of(order, "r2", 400))
        await tx.payments.record_refund("r1", RefundStatus.SUCCEEDED, "re_1", None)
    with pytest.raises(RefundExceedsCapture) as refusal:
        async with db.transaction(CONTEXT) as tx:
            await tx.payments.create_refund(refund_of(order, "r3", 501))
    assert refusal.value.refundable == 500
    async with db.transaction(CONTEXT) as tx:
        await tx.payments.record_refund("r2", RefundStatus.FAILED, "re_2", "lost_or_stolen_card")
        await tx.payments.create_refund(refund_of(order, "r4", 900))
        payment = await tx.payments.get(order.payment_id)
    assert (payment.captured, payment.refunded) == (1500, 600)


async def test_a_refund_repeated_is_the_stored_one(db: SqlDatabase) -> None:
    order = await captured_order(db)
    async with db.transaction(CONTEXT) as tx:
        first = await tx.payments.create_refund(refund_of(order, "r1", 250, RefundLine(1, 1, 250)))
    async with db.transaction(CONTEXT) as tx:
        again = await tx.payments.create_refund(refund_of(order, "r1", 1500))
        assert await tx.payments.refund("r1", lock=True) == first
    assert again == first
    assert (first.amount, first.currency, first.status) == (250, "GBP", RefundStatus.REQUESTED)


async def test_no_more_pieces_of_a_line_are_given_back_than_were_bought(db: SqlDatabase) -> None:
    order = await captured_order(db)
    async with db.transaction(CONTEXT) as tx:
        await tx.payments.create_refund(refund_of(order, "r1", 250, RefundLine(1, 1, 250)))
    for line in (RefundLine(1, 2, 500), RefundLine(9, 1, 10)):
        with pytest.raises(Conflict):
            async with db.transaction(CONTEXT) as tx:
                await tx.payments.create_refund(refund_of(order, "r2", line.amount, line))
    async with db.reading() as tx:
        with pytest.raises(NotFound):
            await tx.payments.refund("r2")


async def test_refund_news_moves_by_rank_and_counts_once(db: SqlDatabase) -> None:
    order = await captured_order(db)
    async with db.transaction(CONTEXT) as tx:
        await tx.payments.create_refund(refund_of(order, "r1", 600))
        for status in (RefundStatus.SUCCEEDED, RefundStatus.PENDING, RefundStatus.SUCCEEDED):
            refund = await tx.payments.record_refund("r1", status, "re_1", None)
            assert (refund.status, refund.provider_ref) == (RefundStatus.SUCCEEDED, "re_1")
        assert (await tx.payments.get(order.payment_id)).refunded == 600


async def test_a_refund_that_the_bank_sends_back_counts_no_more(db: SqlDatabase) -> None:
    order = await captured_order(db)
    async with db.transaction(CONTEXT) as tx:
        await tx.payments.create_refund(refund_of(order, "r1", 600))
        await tx.payments.record_refund("r1", RefundStatus.SUCCEEDED, "re_1", None)
        failed = await tx.payments.record_refund("r1", RefundStatus.FAILED, None, "declined")
        assert (failed.status, failed.failure_code) == (RefundStatus.FAILED, "declined")
        assert (await tx.payments.get(order.payment_id)).refunded == 0


async def test_silent_payments_and_open_refunds_are_found_by_age(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    waiting, paid = await create_order(db), await captured_order(db)
    await record(db, waiting, facts(PaymentStatus.REQUIRES_ACTION))
    async with db.transaction(CONTEXT) as tx:
        await tx.payments.create_refund(refund_of(paid, "open", 100))
        await tx.payments.create_refund(refund_of(paid, "done", 100))
        await tx.payments.record_refund("done", RefundStatus.SUCCEEDED, "re_1", None)
        assert await tx.payments.silent(60, 10) == []
        assert await tx.payments.open_refunds(60, 10) == []
    for table in ("payments", "refunds"):
        owner.execute(f"UPDATE {table} SET updated_at = now() - interval '2 minutes'")
    owner.commit()
    async with db.transaction(CONTEXT) as tx:
        assert [payment.id for payment in await tx.payments.silent(60, 10)] == [waiting.payment_id]
        assert [refund.id for refund in await tx.payments.open_refunds(60, 10)] == ["open"]
        await tx.payments.record(waiting.payment_id, facts(PaymentStatus.REQUIRES_ACTION))
        assert await tx.payments.silent(60, 10) == []


async def test_unknown_payments_and_refunds_are_not_found(db: SqlDatabase) -> None:
    async with db.transaction(CONTEXT) as tx:
        for ask in (
            tx.payments.get("x"),
            tx.payments.get("x", lock=True),
            tx.payments.mark_voided("x"),
            tx.payments.refund("x"),
            tx.payments.record_refund("x", RefundStatus.PENDING, None, None),
            tx.payments.create_refund(NewRefund("r", "o", "x", 1, "")),
        ):
            with pytest.raises(NotFound):
                await ask


async def test_the_ledger_posts_once_per_key_and_balances(db: SqlDatabase) -> None:
    order = await captured_order(db)
    async with db.reading() as tx:
        payment = await tx.payments.get(order.payment_id)
    for expected in (True, False):
        async with db.transaction(CONTEXT) as tx:
            assert await tx.ledger.post(ledger.authorised(payment)) is expected
            assert await tx.ledger.post(ledger.captured(payment, 1500, 250)) is expected
    async with db.reading() as tx:
        balances = await tx.ledger.balances()
    assert balances == {
        ("clearing:stripe", "GBP"): 1500,
        ("sales", "GBP"): -1250,
        ("tax", "GBP"): -250,
        ("memo:authorised:stripe", "GBP"): 0,
        ("memo:authorisations", "GBP"): 0,
    }


async def test_unbalanced_postings_are_refused_by_the_code_and_by_the_database(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    order = await create_order(db)
    lopsided = LedgerTransaction("k", "captured", order.id, "GBP", [Posting("a", 2), Posting("b", -1)])
    with pytest.raises(ValueError, match="zero"):
        async with db.transaction(CONTEXT) as tx:
            await tx.ledger.post(lopsided)
    entry = (
        "INSERT INTO ledger_transactions (key, kind, order_id, currency, actor, request_id)"
        " VALUES ('k', 'captured', %s, 'GBP', 'a', 'r') RETURNING id"
    )
    (number,) = owner.execute(entry, [order.id]).fetchone() or (None,)
    owner.execute("INSERT INTO ledger_postings VALUES (%s, 1, 'a', 2), (%s, 2, 'b', -1)", [number] * 2)
    with pytest.raises(psycopg.errors.CheckViolation, match="sums to 1"):
        owner.commit()
    owner.rollback()
    owner.execute(entry, [order.id])
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.commit()


async def test_a_ledger_entry_in_another_currency_than_its_order_is_refused(db: SqlDatabase) -> None:
    order = await create_order(db)
    foreign = LedgerTransaction("k", "captured", order.id, "EUR", [Posting("a", 1), Posting("b", -1)])
    with pytest.raises(IntegrityError):
        async with db.transaction(CONTEXT) as tx:
            await tx.ledger.post(foreign)
    async with db.reading() as tx:
        assert await tx.ledger.balances() == {}
