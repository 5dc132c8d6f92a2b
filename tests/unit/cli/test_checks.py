"""The provider's journal read, and held against our books."""

from commerce.cli.checks import compare
from commerce.cli.provider_books import Entry, Journal, ProviderTotals, money_of
from commerce.domain.messaging import InvariantResult
from commerce.persistence.books import OrderMoney


def entry(kind: str, amount: int, order_id: str | None = "ord_1", refund: str | None = None) -> Entry:
    return Entry(
        kind=kind,
        amount=amount,
        order_id=order_id,
        currency="gbp",
        payment_intent=f"pi_{order_id}",
        refund=refund,
    )


def test_the_journal_sums_captures_and_standing_refunds_per_order() -> None:
    money = money_of(
        Journal(
            data=[
                entry("payment_intent.authorised", 1000),
                entry("payment_intent.captured", 900),
                entry("payment_intent.captured", 500, "ord_2"),
                entry("refund.created", 300, refund="re_1"),
                entry("refund.succeeded", 300, refund="re_1"),
                entry("refund.created", 200, refund="re_2"),
            ]
        )
    )
    assert money.captured == {("ord_1", "GBP"): 900, ("ord_2", "GBP"): 500}
    assert money.refunded == {("ord_1", "GBP"): 300}
    assert money.totals() == ProviderTotals(captured={"gbp": 1400}, refunded={"gbp": 300})


def test_a_refund_that_failed_after_it_had_succeeded_counts_no_more() -> None:
    kinds = ("refund.created", "refund.succeeded", "refund.failed")
    money = money_of(Journal(data=[entry(kind, 300, refund="re_1") for kind in kinds]))
    assert money.refunded == {}


def test_equal_books_are_fine() -> None:
    provider = money_of(Journal(data=[entry("payment_intent.captured", 900)]))
    results = compare([OrderMoney("ord_1", "GBP", 900, 0, 900, 0)], provider)
    assert [(result.name, result.ok) for result in results] == [
        ("captured_equals_provider", True),
        ("refunded_equals_provider", True),
        ("provider_payment_has_order", True),
    ]


def test_a_capture_that_we_do_not_know_is_shown_with_both_sides() -> None:
    provider = money_of(Journal(data=[entry("payment_intent.captured", 900)]))
    captured, _, _ = compare([OrderMoney("ord_1", "GBP", 0, 0, 0, 0)], provider)
    row = {"order_id": "ord_1", "currency": "GBP", "ours": 0, "provider": 900}
    assert captured == InvariantResult("captured_equals_provider", "provider", False, [row])


def test_a_refund_that_only_we_know_is_shown() -> None:
    provider = money_of(Journal(data=[entry("payment_intent.captured", 900)]))
    _, refunded, _ = compare([OrderMoney("ord_1", "GBP", 900, 250, 900, 250)], provider)
    assert refunded.rows == [{"order_id": "ord_1", "currency": "GBP", "ours": 250, "provider": 0}]


def test_a_payment_without_an_order_of_ours_is_shown() -> None:
    provider = money_of(
        Journal(data=[entry("payment_intent.authorised", 5), entry("payment_intent.authorised", 6, None)])
    )
    _, _, strangers = compare([], provider)
    assert strangers.rows == [
        {"payment_intent": "pi_ord_1", "order_id": "ord_1"},
        {"payment_intent": "pi_None", "order_id": None},
    ]
