from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from unit.domain.test_ledger import NOW, PAYMENT

from commerce.contracts.checkout import PaymentAction
from commerce.contracts.money import Money
from commerce.contracts.statuses import PaymentStatus
from commerce.domain.payments import PAYMENT_RANK, advance
from commerce.domain.providers import ProviderPayment

NEW = replace(
    PAYMENT, status=PaymentStatus.REQUESTED, authorised=0, captured=0, provider_ref=None, amount=1200
)
ACTION = PaymentAction("redirect", "https://bank.example")


def news(status: PaymentStatus, **changes: object) -> ProviderPayment:
    plain = ProviderPayment("pi_1", status, Money(1200, "GBP"))
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_declined_attempt_may_be_followed_by_a_good_one() -> None:
    declined = advance(NEW, news(PaymentStatus.DECLINED, decline_code="insufficient_funds"))
    assert (declined.status, declined.decline_code) == (PaymentStatus.DECLINED, "insufficient_funds")
    good = advance(declined, news(PaymentStatus.AUTHORISED, authorised=1200, capture_before=NOW))
    assert (good.status, good.decline_code, good.capture_before) == (PaymentStatus.AUTHORISED, None, NOW)


def test_the_shoppers_task_is_kept_while_it_is_open_and_dropped_after() -> None:
    waiting = advance(NEW, news(PaymentStatus.REQUIRES_ACTION, action=ACTION))
    assert advance(waiting, news(PaymentStatus.REQUIRES_ACTION)).action == ACTION
    assert advance(waiting, news(PaymentStatus.PROCESSING)).action is None


def test_the_first_reference_stays() -> None:
    known = replace(NEW, provider_ref="pi_0")
    assert advance(known, news(PaymentStatus.AUTHORISED)).provider_ref == "pi_0"


def test_a_capture_that_no_authorisation_was_heard_of_is_authorised_too() -> None:
    taken = advance(NEW, news(PaymentStatus.CAPTURED, captured=1200))
    assert (taken.authorised, taken.captured) == (1200, 1200)


def test_news_of_a_void_never_undoes_a_capture() -> None:
    taken = advance(NEW, news(PaymentStatus.CAPTURED, captured=1200))
    assert advance(taken, news(PaymentStatus.VOIDED)).status is PaymentStatus.CAPTURED
    assert advance(NEW, news(PaymentStatus.VOIDED)).status is PaymentStatus.VOIDED


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(PaymentStatus), st.integers(0, 1200), st.integers(0, 1200)), max_size=8
    )
)
def test_rank_and_sums_only_grow_and_captures_stay_within_authorisations(
    story: list[tuple[PaymentStatus, int, int]],
) -> None:
    payment = NEW
    for status, authorised, captured in story:
        after = advance(payment, news(status, authorised=authorised, captured=captured))
        assert PAYMENT_RANK[after.status] >= PAYMENT_RANK[payment.status]
        assert after.authorised >= payment.authorised
        assert after.captured >= payment.captured
        assert after.captured <= after.authorised
        assert after.refunded == 0
        payment = after
