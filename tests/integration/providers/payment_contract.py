"""What every payment provider must keep to; subclasses bring a desk for theirs.

The provider is a real process that can be told to fail before or after an effect. Its own sums, not its
answers, say what happened to the money.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar
from uuid import uuid4

import pytest

from commerce.contracts.ids import ORDER, PAYMENT, REFUND, new_id
from commerce.contracts.money import Money
from commerce.contracts.statuses import PaymentStatus, RefundStatus
from commerce.domain.errors import ProviderError, ProviderOutcomeUnknown, ProviderRefused, ProviderUnavailable
from commerce.domain.ports import PaymentProvider
from commerce.domain.providers import AuthorisationRequest, ProviderPayment, RefundRequest

T = TypeVar("T")

PRICE = Money(3999, "GBP")
NOTHING: dict[str, int] = {}
UNKNOWN, UNAVAILABLE = ProviderOutcomeUnknown, ProviderUnavailable

FAULTS = [
    ("error_before", UNKNOWN),
    ("error_after", UNKNOWN),
    ("rate_limit", UNAVAILABLE),
    ("timeout_before", UNKNOWN),
    ("timeout_after", UNKNOWN),
    ("reset", UNKNOWN),
]
"""Fault of the provider, and what it means for a call that changes something."""


class Desk(Protocol):
    """One provider as the tests use it. `hasty` gives up before a held connection is cut."""

    provider: PaymentProvider
    hasty: PaymentProvider
    good: str
    needs_action: str
    declines: dict[str, str]
    refund_fails: str

    async def fault(self, call: str, mode: str, payment: AuthorisationRequest, times: int = 1) -> None:
        """`call` is authorise, capture, void, refund or read."""

    async def sums(self, order_id: str) -> dict[str, int]:
        """authorised (open holds), captured, refunded, refund_pending: those that are not zero."""

    async def count(self, order_id: str, effect: str) -> int:
        """How often the provider's journal tells of authorised, captured, voided, refunded."""

    async def shopper(self, provider_ref: str, *, succeeds: bool) -> None: ...

    async def eventually(self, holds: Callable[[], Awaitable[bool]]) -> None: ...


@dataclass(frozen=True)
class Sale:
    request: AuthorisationRequest
    payment: ProviderPayment

    @property
    def ref(self) -> str:
        return self.payment.provider_ref

    def refund(self, amount: int, refund_id: str | None = None) -> RefundRequest:
        return RefundRequest(
            refund_id=refund_id or new_id(REFUND),
            payment_id=self.request.payment_id,
            order_id=self.request.order_id,
            provider_ref=self.ref,
            amount=Money(amount, "GBP"),
        )


def asked(token: str | None, amount: Money = PRICE, **changes: str) -> AuthorisationRequest:
    request = AuthorisationRequest(
        order_id=new_id(ORDER),
        payment_id=new_id(PAYMENT),
        number=f"N{uuid4().hex[:6]}",
        amount=amount,
        token=token,
        return_url="http://127.0.0.1:9/thanks",
    )
    return replace(request, **changes)


async def attempt(call: Callable[[], Awaitable[object]]) -> ProviderError | None:
    try:
        await call()
    except ProviderError as error:
        return error
    return None


async def repeated(call: Callable[[], Awaitable[T]]) -> T:
    """As the retry layer does it: again until the outcome is known."""
    async with asyncio.timeout(8):
        while True:
            try:
                return await call()
            except ProviderOutcomeUnknown:
                await asyncio.sleep(0.1)


class PaymentProviderContract:
    @pytest.fixture
    async def sale(self, desk: Desk) -> Sale:
        request = asked(desk.good)
        return Sale(request, await desk.provider.authorise(request))

    @pytest.fixture
    async def captured(self, desk: Desk, sale: Sale) -> Sale:
        return Sale(sale.request, await desk.provider.capture(sale.request.payment_id, sale.ref, PRICE))

    async def test_an_authorisation_holds_the_amount_and_takes_nothing(self, desk: Desk, sale: Sale) -> None:
        payment = sale.payment

        assert (payment.status, payment.amount, payment.authorised) == (PaymentStatus.AUTHORISED, PRICE, 3999)
        assert (payment.captured, payment.refunded) == (0, 0)
        assert (payment.order_id, payment.payment_id) == (sale.request.order_id, sale.request.payment_id)
        assert (payment.action, payment.decline_code, payment.livemode) == (None, None, False)
        assert payment.capture_before is not None
        assert await desk.sums(sale.request.order_id) == {"authorised": 3999}

    async def test_authorising_twice_holds_once(self, desk: Desk, sale: Sale) -> None:
        again = await desk.provider.authorise(sale.request)

        assert again == sale.payment
        assert await desk.count(sale.request.order_id, "authorised") == 1

    async def test_a_decline_is_a_result_and_stays_one(self, desk: Desk) -> None:
        for token, code in desk.declines.items():
            request = asked(token)

            first, second = await desk.provider.authorise(request), await desk.provider.authorise(request)

            assert (first.status, first.decline_code) == (PaymentStatus.DECLINED, code)
            assert (first.authorised, second) == (0, first)
            assert await desk.sums(request.order_id) == NOTHING

    async def test_a_token_that_does_not_exist_is_refused(self, desk: Desk) -> None:
        request = asked("pm_no_such_card")

        with pytest.raises(ProviderRefused):
            await desk.provider.authorise(request)

        assert await desk.sums(request.order_id) == NOTHING

    async def test_a_shopper_must_act_and_then_the_amount_is_held(self, desk: Desk) -> None:
        request = asked(desk.needs_action)
        waiting = await desk.provider.authorise(request)
        assert waiting.status is PaymentStatus.REQUIRES_ACTION
        assert waiting.action is not None
        assert waiting.action.url
        assert await desk.sums(request.order_id) == NOTHING

        await desk.shopper(waiting.provider_ref, succeeds=True)

        read = await desk.provider.read(request.payment_id, waiting.provider_ref)
        assert read is not None
        assert (read.status, read.authorised, read.action) == (PaymentStatus.AUTHORISED, 3999, None)
        assert await desk.provider.authorise(request) == read

    async def test_a_shopper_who_fails_is_declined(self, desk: Desk) -> None:
        request = asked(desk.needs_action)
        waiting = await desk.provider.authorise(request)

        await desk.shopper(waiting.provider_ref, succeeds=False)

        read = await desk.provider.read(request.payment_id, waiting.provider_ref)
        assert read is not None
        assert read.status is PaymentStatus.DECLINED
        assert read.decline_code

    @pytest.mark.parametrize(("mode", "kind"), FAULTS)
    async def test_a_failed_authorisation_is_repeated_and_holds_once(
        self, desk: Desk, mode: str, kind: type[ProviderError]
    ) -> None:
        request = asked(desk.good)
        await desk.fault("authorise", mode, request)

        error = await attempt(lambda: desk.hasty.authorise(request))
        payment = await repeated(lambda: desk.provider.authorise(request))

        assert type(error) is kind
        assert (payment.status, payment.authorised) == (PaymentStatus.AUTHORISED, 3999)
        assert await desk.sums(request.order_id) == {"authorised": 3999}
        assert await desk.count(request.order_id, "authorised") == 1

    async def test_a_rate_limit_says_how_long_to_wait(self, desk: Desk) -> None:
        request = asked(desk.good)
        await desk.fault("authorise", "rate_limit", request)

        error = await attempt(lambda: desk.provider.authorise(request))

        assert isinstance(error, ProviderUnavailable)
        assert error.retry_after == 0.6

    async def test_failures_that_the_provider_remembers_are_got_past(self, desk: Desk) -> None:
        request = asked(desk.good)
        await desk.fault("authorise", "error_before", request, times=2)

        errors = [await attempt(lambda: desk.provider.authorise(request)) for _ in range(2)]
        payment = await desk.provider.authorise(request)

        assert [type(error) for error in errors] == [UNKNOWN, UNKNOWN]
        assert payment.status is PaymentStatus.AUTHORISED
        assert await desk.count(request.order_id, "authorised") == 1

    async def test_a_decline_whose_answer_was_lost_is_still_a_decline(self, desk: Desk) -> None:
        token, code = next(iter(desk.declines.items()))
        request = asked(token)
        await desk.fault("authorise", "reset", request)

        error = await attempt(lambda: desk.provider.authorise(request))
        payment = await desk.provider.authorise(request)

        assert type(error) is UNKNOWN
        assert (payment.status, payment.decline_code) == (PaymentStatus.DECLINED, code)

    async def test_an_attempt_that_is_still_running_is_waited_for(self, desk: Desk) -> None:
        request = asked(desk.good)
        await desk.fault("authorise", "late", request)

        assert type(await attempt(lambda: desk.hasty.authorise(request))) is UNKNOWN
        assert type(await attempt(lambda: desk.provider.authorise(request))) is UNKNOWN
        payment = await repeated(lambda: desk.provider.authorise(request))

        assert payment.status is PaymentStatus.AUTHORISED
        assert await desk.count(request.order_id, "authorised") == 1

    async def test_a_payment_is_found_by_reference_and_by_our_own_id(self, desk: Desk, sale: Sale) -> None:
        payment_id = sale.request.payment_id

        assert await desk.provider.read(payment_id, sale.ref) == sale.payment
        assert await desk.provider.read(payment_id, None) == sale.payment

    async def test_an_unknown_payment_is_none(self, desk: Desk) -> None:
        assert await desk.provider.read(new_id(PAYMENT), None) is None
        assert await desk.provider.read(new_id(PAYMENT), "pi_does_not_exist") is None

    async def test_a_read_that_fails_had_no_effect(self, desk: Desk, sale: Sale) -> None:
        await desk.fault("read", "error_before", sale.request)

        error = await attempt(lambda: desk.provider.read(sale.request.payment_id, sale.ref))

        assert type(error) is UNAVAILABLE

    async def test_a_capture_takes_the_amount(self, desk: Desk, captured: Sale) -> None:
        payment = captured.payment

        assert (payment.status, payment.authorised, payment.captured) == (PaymentStatus.CAPTURED, 3999, 3999)
        assert payment.capture_before is None
        assert await desk.sums(captured.request.order_id) == {"captured": 3999}

    async def test_capture_twice_charges_once(self, desk: Desk, captured: Sale) -> None:
        again = await desk.provider.capture(captured.request.payment_id, captured.ref, PRICE)

        assert again == captured.payment
        assert await desk.count(captured.request.order_id, "captured") == 1

    async def test_a_partial_capture_releases_the_rest(self, desk: Desk, sale: Sale) -> None:
        payment = await desk.provider.capture(sale.request.payment_id, sale.ref, Money(1500, "GBP"))

        assert (payment.status, payment.captured, payment.refunded) == (PaymentStatus.CAPTURED, 1500, 0)
        assert await desk.sums(sale.request.order_id) == {"captured": 1500}

    @pytest.mark.parametrize(("mode", "kind"), FAULTS)
    async def test_a_failed_capture_is_repeated_and_charges_once(
        self, desk: Desk, sale: Sale, mode: str, kind: type[ProviderError]
    ) -> None:
        payment_id = sale.request.payment_id
        await desk.fault("capture", mode, sale.request)

        error = await attempt(lambda: desk.hasty.capture(payment_id, sale.ref, PRICE))
        payment = await repeated(lambda: desk.provider.capture(payment_id, sale.ref, PRICE))

        assert type(error) is kind
        assert (payment.status, payment.captured) == (PaymentStatus.CAPTURED, 3999)
        assert await desk.sums(sale.request.order_id) == {"captured": 3999}
        assert await desk.count(sale.request.order_id, "captured") == 1

    async def test_what_was_voided_cannot_be_captured(self, desk: Desk, sale: Sale) -> None:
        await desk.provider.void(sale.request.payment_id, sale.ref)

        with pytest.raises(ProviderRefused):
            await desk.provider.capture(sale.request.payment_id, sale.ref, PRICE)

        assert await desk.sums(sale.request.order_id) == NOTHING

    async def test_a_capture_tells_what_was_really_taken(self, desk: Desk, sale: Sale) -> None:
        await desk.fault("capture", "wrong_amount", sale.request)

        payment = await desk.provider.capture(sale.request.payment_id, sale.ref, PRICE)

        assert payment.captured == 3998

    async def test_a_void_gives_the_hold_back(self, desk: Desk, sale: Sale) -> None:
        first = await desk.provider.void(sale.request.payment_id, sale.ref)
        second = await desk.provider.void(sale.request.payment_id, sale.ref)

        assert first is not None
        assert (first.status, first.captured) == (PaymentStatus.VOIDED, 0)
        assert second == first
        assert await desk.sums(sale.request.order_id) == NOTHING

    async def test_a_void_without_reference_finds_the_hold(self, desk: Desk, sale: Sale) -> None:
        voided = await desk.provider.void(sale.request.payment_id, None)

        assert voided is not None
        assert (voided.provider_ref, voided.status) == (sale.ref, PaymentStatus.VOIDED)
        assert await desk.sums(sale.request.order_id) == NOTHING

    @pytest.mark.parametrize(("mode", "kind"), FAULTS)
    async def test_a_failed_void_is_repeated(
        self, desk: Desk, sale: Sale, mode: str, kind: type[ProviderError]
    ) -> None:
        payment_id = sale.request.payment_id
        await desk.fault("void", mode, sale.request)

        error = await attempt(lambda: desk.hasty.void(payment_id, sale.ref))
        voided = await repeated(lambda: desk.provider.void(payment_id, sale.ref))

        assert type(error) is kind
        assert voided is not None
        assert voided.status is PaymentStatus.VOIDED
        assert await desk.sums(sale.request.order_id) == NOTHING

    async def test_a_void_leaves_captured_money_alone(self, desk: Desk, captured: Sale) -> None:
        answer = await desk.provider.void(captured.request.payment_id, captured.ref)

        assert answer == captured.payment
        assert await desk.sums(captured.request.order_id) == {"captured": 3999}

    async def test_a_void_ends_a_payment_that_waits_for_the_shopper(self, desk: Desk) -> None:
        request = asked(desk.needs_action)
        waiting = await desk.provider.authorise(request)

        voided = await desk.provider.void(request.payment_id, waiting.provider_ref)

        assert voided is not None
        assert voided.status is PaymentStatus.VOIDED

    async def test_a_late_authorisation_after_a_void_holds_nothing(self, desk: Desk, sale: Sale) -> None:
        await desk.provider.void(sale.request.payment_id, sale.ref)

        late = await desk.provider.authorise(sale.request)

        assert late.status is PaymentStatus.VOIDED
        assert await desk.sums(sale.request.order_id) == NOTHING

    async def test_a_void_before_the_authorisation_shuts_it_out(self, desk: Desk) -> None:
        request = asked(desk.good)

        answers = [await desk.provider.void(request.payment_id, None) for _ in range(2)]

        assert answers == [None, None]
        with pytest.raises(ProviderRefused):
            await desk.provider.authorise(request)
        assert await desk.sums(request.order_id) == NOTHING
        assert await desk.count(request.order_id, "authorised") == 0
        assert await desk.provider.read(request.payment_id, None) is None

    async def test_a_void_after_remembered_failures_shuts_the_next_key_too(self, desk: Desk) -> None:
        request = asked(desk.good)
        await desk.fault("authorise", "error_before", request)
        await attempt(lambda: desk.provider.authorise(request))

        assert await desk.provider.void(request.payment_id, None) is None

        with pytest.raises(ProviderRefused):
            await desk.provider.authorise(request)
        assert await desk.count(request.order_id, "authorised") == 0

    async def test_an_authorisation_under_way_is_voided_once_it_has_landed(self, desk: Desk) -> None:
        request = asked(desk.good)
        await desk.fault("authorise", "late", request)
        assert type(await attempt(lambda: desk.hasty.authorise(request))) is UNKNOWN

        early = await attempt(lambda: desk.provider.void(request.payment_id, None))
        assert type(early) is UNKNOWN
        voided = await repeated(lambda: desk.provider.void(request.payment_id, None))

        assert voided is not None
        assert voided.status is PaymentStatus.VOIDED
        assert await desk.sums(request.order_id) == NOTHING

    async def test_a_refund_gives_part_of_the_money_back(self, desk: Desk, captured: Sale) -> None:
        request = captured.refund(1000)

        refund = await desk.provider.refund(request)

        assert (refund.amount, refund.refund_id) == (Money(1000, "GBP"), request.refund_id)
        assert refund.status in {RefundStatus.PENDING, RefundStatus.SUCCEEDED}
        await desk.eventually(lambda: _refund_is(desk, request, RefundStatus.SUCCEEDED))
        assert await desk.sums(captured.request.order_id) == {"captured": 3999, "refunded": 1000}
        payment = await desk.provider.read(captured.request.payment_id, captured.ref)
        assert payment is not None
        assert (payment.status, payment.captured, payment.refunded) == (PaymentStatus.CAPTURED, 3999, 1000)

    async def test_refund_twice_pays_once(self, desk: Desk, captured: Sale) -> None:
        request = captured.refund(3999)

        first, second = await desk.provider.refund(request), await desk.provider.refund(request)

        assert first.provider_ref == second.provider_ref
        assert await desk.count(captured.request.order_id, "refunded") == 1

    async def test_two_refunds_are_two(self, desk: Desk, captured: Sale) -> None:
        for _ in range(2):
            await desk.provider.refund(captured.refund(500))

        assert await desk.count(captured.request.order_id, "refunded") == 2

    @pytest.mark.parametrize(("mode", "kind"), FAULTS)
    async def test_a_failed_refund_call_is_repeated_and_pays_once(
        self, desk: Desk, captured: Sale, mode: str, kind: type[ProviderError]
    ) -> None:
        request = captured.refund(3999)
        await desk.fault("refund", mode, captured.request)

        error = await attempt(lambda: desk.hasty.refund(request))
        refund = await repeated(lambda: desk.provider.refund(request))

        assert type(error) is kind
        assert refund.refund_id == request.refund_id
        assert await desk.count(captured.request.order_id, "refunded") == 1

    async def test_more_than_was_captured_is_refused(self, desk: Desk, captured: Sale) -> None:
        with pytest.raises(ProviderRefused):
            await desk.provider.refund(captured.refund(4000))

        assert await desk.count(captured.request.order_id, "refunded") == 0

    async def test_an_uncaptured_payment_cannot_be_refunded(self, desk: Desk, sale: Sale) -> None:
        with pytest.raises(ProviderRefused):
            await desk.provider.refund(sale.refund(100))

        assert await desk.sums(sale.request.order_id) == {"authorised": 3999}

    async def test_a_refund_that_fails_later_says_why(self, desk: Desk) -> None:
        payment = await desk.provider.authorise(asked(desk.refund_fails))
        sale = Sale(
            asked(None, payment_id=payment.payment_id or "", order_id=payment.order_id or ""), payment
        )
        await desk.provider.capture(sale.request.payment_id, sale.ref, PRICE)
        request = sale.refund(3999)

        made = await desk.provider.refund(request)
        await desk.eventually(lambda: _refund_is(desk, request, RefundStatus.FAILED))

        read = await desk.provider.read_refund(request, made.provider_ref)
        assert read is not None
        assert read.failure_code
        assert await desk.sums(sale.request.order_id) == {"captured": 3999}

    async def test_an_unknown_refund_is_none(self, desk: Desk, captured: Sale) -> None:
        assert await desk.provider.read_refund(captured.refund(100), None) is None
        assert await desk.provider.read_refund(captured.refund(100), "re_does_not_exist") is None


async def _refund_is(desk: Desk, request: RefundRequest, status: RefundStatus) -> bool:
    refund = await desk.provider.read_refund(request, None)
    return refund is not None and refund.status is status
