from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from commerce.contracts.statuses import PaymentStatus, RefundStatus
from commerce.domain import ledger
from commerce.domain.messaging import LedgerTransaction, Posting
from commerce.domain.orders import Payment, Refund

NOW = datetime(2026, 12, 1, tzinfo=UTC)
PAYMENT = Payment(
    id="pay_1",
    order_id="ord_1",
    provider="stripe",
    token=None,
    status=PaymentStatus.CAPTURED,
    currency="GBP",
    amount=1200,
    authorised=1200,
    captured=1200,
    refunded=0,
    provider_ref="pi_1",
    action=None,
    decline_code=None,
    capture_before=None,
    livemode=False,
    created_at=NOW,
    updated_at=NOW,
)
REFUND = Refund(
    "rfd_1", "ord_1", "pay_1", 600, "GBP", "broken", RefundStatus.SUCCEEDED, "re_1", None, [], NOW, NOW
)


def test_authorising_is_a_memo_pair() -> None:
    assert ledger.authorised(PAYMENT) == LedgerTransaction(
        "authorise:pay_1",
        "authorised",
        "ord_1",
        "GBP",
        [Posting("memo:authorised:stripe", 1200), Posting("memo:authorisations", -1200)],
    )


def test_capturing_books_sales_and_tax_and_takes_the_memo_back() -> None:
    assert ledger.captured(PAYMENT, 1200, 200) == LedgerTransaction(
        "capture:pay_1:1200",
        "captured",
        "ord_1",
        "GBP",
        [
            Posting("clearing:stripe", 1200),
            Posting("sales", -1000),
            Posting("tax", -200),
            Posting("memo:authorised:stripe", -1200),
            Posting("memo:authorisations", 1200),
        ],
    )


def test_refunding_takes_revenue_and_tax_off() -> None:
    assert ledger.refunded(PAYMENT, REFUND, 100) == LedgerTransaction(
        "refund:rfd_1",
        "refunded",
        "ord_1",
        "GBP",
        [Posting("clearing:stripe", -600), Posting("refunds", 500), Posting("tax", 100)],
    )


def test_a_returned_refund_is_the_exact_reverse_under_its_own_key() -> None:
    there, back = ledger.refunded(PAYMENT, REFUND, 100), ledger.refund_failed(PAYMENT, REFUND, 100)
    assert back.key == "refund_failed:rfd_1"
    assert back.postings == [Posting(post.account, -post.amount) for post in there.postings]


def test_voiding_frees_what_was_not_taken() -> None:
    part = replace(PAYMENT, captured=500)
    assert ledger.voided(part).key == "void:pay_1"
    assert ledger.voided(part).postings == [
        Posting("memo:authorised:stripe", -700),
        Posting("memo:authorisations", 700),
    ]


def test_captures_in_parts_have_keys_of_their_own() -> None:
    first, second = replace(PAYMENT, captured=500), PAYMENT
    assert ledger.captured(first, 500).key == "capture:pay_1:500"
    assert ledger.captured(second, 700).key == "capture:pay_1:1200"


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10**12), st.data())
def test_every_transaction_sums_to_zero_and_a_settled_payment_leaves_no_memo(
    amount: int, data: st.DataObject
) -> None:
    taken = data.draw(st.integers(0, amount))
    given_back = data.draw(st.integers(0, taken))
    payment = replace(PAYMENT, authorised=amount, captured=taken)
    refund = replace(REFUND, amount=given_back)
    entries = [
        ledger.authorised(payment),
        ledger.captured(payment, taken, data.draw(st.integers(0, taken))),
        ledger.voided(payment),
        ledger.refunded(payment, refund, data.draw(st.integers(0, given_back))),
    ]
    balances: dict[str, int] = {}
    for entry in entries:
        assert sum(posting.amount for posting in entry.postings) == 0
        assert all(posting.amount for posting in entry.postings)
        for posting in entry.postings:
            balances[posting.account] = balances.get(posting.account, 0) + posting.amount
    assert balances.get("memo:authorised:stripe", 0) == 0
    assert balances.get("clearing:stripe", 0) == taken - given_back
