"""Reading orders, cancelling them, giving money back, and support's decisions."""

from commerce.contracts.checkout import CancelAnswer
from commerce.contracts.money import Money
from commerce.contracts.statuses import (
    FulfilmentState,
    OrderState,
    OrderStatus,
    PaymentState,
    PaymentStatus,
    RefundStatus,
)
from commerce.domain.errors import Conflict, NotFound, ProviderUnavailable
from commerce.domain.providers import ProviderPayment
from tests.integration.api.bench import Shop, pointers, slug
from tests.integration.api.orders import SYSTEM, Bought, bought, captured


async def test_people_list_their_own_orders_and_support_everybodys(shop: Shop) -> None:
    mine = await bought(shop, "list-1", person="lena")
    other = await bought(shop, "list-2", person="lars")
    own = (await shop.http.get("/v1/orders", headers=mine.headers)).json()
    assert [order["id"] for order in own["items"]] == [mine.order_id]
    nosy = (await shop.http.get("/v1/orders", params={"customer_id": "lars"}, headers=mine.headers)).json()
    assert [order["id"] for order in nosy["items"]] == [mine.order_id]
    support = shop.person("sam", "support")
    one = (await shop.http.get("/v1/orders", params={"customer_id": "lars"}, headers=support)).json()
    assert [order["id"] for order in one["items"]] == [other.order_id]
    seen, cursor = [], None
    for _ in range(2):
        params = {"limit": "1", **({"cursor": cursor} if cursor else {})}
        page = (await shop.http.get("/v1/orders", params=params, headers=support)).json()
        seen += [order["id"] for order in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [other.order_id, mine.order_id]
    warehouse = (await shop.http.get("/v1/orders", headers=shop.person("w", "warehouse"))).json()
    assert warehouse["items"] == []


async def test_an_order_says_in_plain_words_where_it_stands(shop: Shop) -> None:
    order = await captured(shop, "words")
    url = f"/v1/orders/{order.order_id}"
    shown = (await shop.http.get(url, headers=order.headers)).json()
    assert (shown["status"], shown["payment_status"]) == ("Processing", "captured")
    assert shown["situation"]["doing"] == "Packing"
    assert shown["situation"]["next"] == "A label is bought and the parcel handed over."
    async with shop.gateway.database.transaction(SYSTEM) as tx:
        await tx.orders.move(order.order_id, fulfilment=FulfilmentState.DELIVERED)
    delivered = (await shop.http.get(url, headers=order.headers)).json()
    assert (delivered["status"], delivered["situation"]["doing"]) == ("Delivered", "Delivered")
    assert delivered["version"] > shown["version"]


async def test_the_timeline_goes_on_after_a_cursor(shop: Shop) -> None:
    order = await captured(shop, "timeline")
    url = f"/v1/orders/{order.order_id}/timeline"
    whole = (await shop.http.get(url, headers=order.headers)).json()
    assert [item["kind"] for item in whole["items"]] == ["requested", "captured"]
    assert whole["next_cursor"] is None
    first = (await shop.http.get(url, params={"limit": 1}, headers=order.headers)).json()
    rest = (await shop.http.get(url, params={"cursor": first["next_cursor"]}, headers=order.headers)).json()
    assert first["items"] + rest["items"] == whole["items"]
    bad = await shop.http.get(url, params={"cursor": "x"}, headers=order.headers)
    assert (bad.status_code, slug(bad)) == (400, "cursor-malformed")


async def _cancel(shop: Shop, order: Bought, key: str, headers: dict[str, str] | None = None):  # type: ignore[no-untyped-def]
    return await shop.http.post(
        f"/v1/orders/{order.order_id}/cancel",
        json={"reason": "changed my mind"},
        headers={**(headers or order.headers), "Idempotency-Key": key},
    )


async def test_cancelling_answers_the_order_and_a_repeat_the_same(shop: Shop) -> None:
    order = await bought(shop, "cancel-1")
    answers = [await _cancel(shop, order, "c1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["id"] == order.order_id
    assert answers[1].json() == answers[0].json()
    assert answers[1].headers["idempotency-replayed"] == "true"
    ((asked, command),) = shop.workflows.cancels
    assert (asked, command.reason, command.context.actor) == (
        order.order_id,
        "changed my mind",
        "customer:ada",
    )


async def test_support_cancels_on_behalf_of_the_customer(shop: Shop) -> None:
    order = await bought(shop, "cancel-2")
    answer = await _cancel(shop, order, "c2", shop.person("sam", "support"))
    assert answer.status_code == 200
    context = shop.workflows.cancels[0][1].context
    assert (context.actor, context.on_behalf_of) == ("support:sam", "customer:ada")


async def test_money_on_its_way_back_is_202_until_it_is_back(shop: Shop) -> None:
    order = await bought(shop, "cancel-3")
    shop.workflows.cancelled = CancelAnswer(True, OrderStatus.CANCELLED, money_returned=False)
    assert (await _cancel(shop, order, "c3")).status_code == 202
    shop.workflows.cancelled = None
    assert (await _cancel(shop, order, "c3")).status_code == 200


async def test_after_hand_over_the_answer_is_no_and_stays_no(shop: Shop) -> None:
    order = await bought(shop, "cancel-4")
    shop.workflows.cancelled = CancelAnswer(False, OrderStatus.SHIPPED, refusal="a parcel has left")
    answers = [await _cancel(shop, order, "c4") for _ in range(2)]
    assert [(answer.status_code, slug(answer)) for answer in answers] == [(409, "order-not-cancellable")] * 2
    assert answers[0].json()["detail"] == "It cannot be cancelled: a parcel has left."
    assert len(shop.workflows.cancels) == 1


async def test_with_the_workflow_over_the_order_row_answers(shop: Shop) -> None:
    over, gone = await captured(shop, "cancel-5"), await bought(shop, "cancel-6")
    async with shop.gateway.database.transaction(SYSTEM) as tx:
        await tx.orders.move(over.order_id, order=OrderState.COMPLETED)
        await tx.orders.move(
            gone.order_id,
            order=OrderState.CANCELLED,
            payment=PaymentState.FAILED,
            cancel_reason="cancelled",
        )
    shop.workflows.fault = NotFound("order", "x")
    refused = await _cancel(shop, over, "c5")
    assert (refused.status_code, slug(refused)) == (409, "order-not-cancellable")
    for key in ("c6", "another-key"):
        assert (await _cancel(shop, gone, key)).json()["status"] == "Cancelled"


async def test_an_order_that_is_not_started_yet_asks_to_try_again(shop: Shop) -> None:
    order = await bought(shop, "cancel-7")
    shop.workflows.fault = NotFound("order", order.order_id)
    answer = await _cancel(shop, order, "c7")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    shop.workflows.fault = ProviderUnavailable("no Temporal")
    assert (await _cancel(shop, order, "c7")).status_code == 503
    shop.workflows.fault = None
    assert (await _cancel(shop, order, "c7")).status_code == 200


async def _refund(shop: Shop, order: Bought, key: str, **body: object):  # type: ignore[no-untyped-def]
    return await shop.http.post(
        f"/v1/orders/{order.order_id}/refunds",
        json={"reason": "broken", **body},
        headers={**shop.person("fred", "finance"), "Idempotency-Key": key},
    )


async def _settle(shop: Shop, refund_id: str, status: RefundStatus) -> None:
    async with shop.gateway.database.transaction(SYSTEM) as tx:
        await tx.payments.record_refund(refund_id, status, f"re_{refund_id}", None)


async def test_a_refund_of_pieces_is_stored_with_their_amount_and_carried_out(shop: Shop) -> None:
    order = await captured(shop, "refund-1", quantity=3)
    first = await _refund(shop, order, "r1", lines=[{"line_no": 1, "quantity": 1}])
    assert (first.status_code, first.json()["status"]) == (202, "requested")
    assert first.json()["amount"] == {"amount": 255, "currency": "GBP"}
    refund_id = first.json()["id"]
    assert shop.workflows.refunds == [refund_id]
    await _settle(shop, refund_id, RefundStatus.SUCCEEDED)
    done = await _refund(shop, order, "r1", lines=[{"line_no": 1, "quantity": 1}])
    assert (done.status_code, done.json()["id"], done.json()["status"]) == (201, refund_id, "succeeded")
    audited = shop.rows("SELECT actor, on_behalf_of, action FROM audit WHERE object_id = %s", refund_id)
    assert audited == [("finance:fred", "customer:ada", "refund.request")]
    shown = (await shop.http.get(f"/v1/orders/{order.order_id}", headers=order.headers)).json()
    assert [refund["id"] for refund in shown["refunds"]] == [refund_id]


async def test_no_more_is_given_back_than_was_taken(shop: Shop) -> None:
    order = await captured(shop, "refund-2")
    half = await _refund(shop, order, "r2", amount={"amount": 300, "currency": "GBP"})
    too_much = await _refund(shop, order, "r3", amount={"amount": 211, "currency": "GBP"})
    rest = await _refund(shop, order, "r4")
    nothing = await _refund(shop, order, "r5")
    assert (half.status_code, rest.json()["amount"]["amount"]) == (202, 210)
    for refused, left in ((too_much, 210), (nothing, 0)):
        assert (refused.status_code, slug(refused)) == (409, "refund-exceeds-captured")
        assert refused.json()["refundable"] == left
    assert shop.rows("SELECT sum(amount) FROM refunds WHERE order_id = %s", order.order_id) == [(510,)]


async def test_a_refused_refund_leaves_its_key_free(shop: Shop) -> None:
    order = await bought(shop, "refund-3")
    early = await _refund(shop, order, "r6", amount={"amount": 100, "currency": "GBP"})
    assert (early.status_code, slug(early)) == (409, "refund-exceeds-captured")
    assert shop.rows("SELECT 1 FROM refunds WHERE order_id = %s", order.order_id) == []
    keys = "SELECT count(*) FROM idempotency_keys WHERE operation = 'refund'"
    before = shop.rows(keys)
    await _refund(shop, order, "r6", amount={"amount": 200, "currency": "GBP"})
    assert shop.rows(keys) == before


async def test_pieces_that_are_not_there_are_named(shop: Shop) -> None:
    order = await captured(shop, "refund-4")
    for lines, pointer in (
        ([{"line_no": 1, "quantity": 3}], "/lines/0"),
        ([{"line_no": 1, "quantity": 1}, {"line_no": 7, "quantity": 1}], "/lines/1"),
    ):
        answer = await _refund(shop, order, f"r7-{pointer}", lines=lines)
        assert (answer.status_code, slug(answer), pointers(answer)) == (422, "invalid-refund", [pointer])
    both = await _refund(
        shop, order, "r8", lines=[{"line_no": 1, "quantity": 1}], amount={"amount": 1, "currency": "GBP"}
    )
    euros = await _refund(shop, order, "r9", amount={"amount": 1, "currency": "EUR"})
    zero = await _refund(shop, order, "r10", amount={"amount": 0, "currency": "GBP"})
    assert [slug(answer) for answer in (both, euros, zero)] == [
        "invalid-refund",
        "unsupported-currency",
        "invalid-refund",
    ]
    assert shop.rows("SELECT 1 FROM refunds WHERE order_id = %s", order.order_id) == []


async def test_a_refund_that_the_provider_refuses_is_a_problem(shop: Shop) -> None:
    order = await captured(shop, "refund-5")
    pending = await _refund(shop, order, "r11")
    async with shop.gateway.database.transaction(SYSTEM) as tx:
        await tx.payments.record_refund(pending.json()["id"], RefundStatus.FAILED, None, "expired_card")
    answers = [await _refund(shop, order, "r11") for _ in range(2)]
    assert [(answer.status_code, slug(answer)) for answer in answers] == [(409, "refund-refused")] * 2
    assert answers[0].json()["failure_code"] == "expired_card"


async def test_with_temporal_down_the_refund_is_kept(shop: Shop) -> None:
    order = await captured(shop, "refund-6")
    shop.workflows.fault = ProviderUnavailable("no Temporal")
    answer = await _refund(shop, order, "r12")
    assert (answer.status_code, answer.json()["status"]) == (202, "requested")


async def test_orders_that_need_attention_are_listed_and_decided_on(shop: Shop) -> None:
    order = await bought(shop, "attention")
    support = shop.person("sam", "support")
    async with shop.gateway.database.transaction(SYSTEM) as tx:
        await tx.orders.set_attention(order.order_id, "Void the payment: the provider says no")
    listed = (await shop.http.get("/v1/admin/attention", headers=support)).json()
    assert [(item["order_id"], item["reason"]) for item in listed["items"]] == [
        (order.order_id, "Void the payment: the provider says no")
    ]
    url = f"/v1/admin/orders/{order.order_id}/compensations/void%20the%20payment"
    no_proof = await shop.http.post(url, json={"resolution": "mark_done"}, headers=support)
    wrong = await shop.http.post(url, json={"resolution": "forget"}, headers=support)
    assert (no_proof.status_code, wrong.status_code, shop.workflows.resolved) == (422, 422, [])
    done = await shop.http.post(
        url, json={"resolution": "mark_done", "reference": "ticket 7"}, headers=support
    )
    assert done.status_code == 202
    ((asked, command),) = shop.workflows.resolved
    assert (asked, command.step, command.resolution, command.reference, command.context.actor) == (
        order.order_id,
        "void the payment",
        "mark_done",
        "ticket 7",
        "support:sam",
    )
    shop.workflows.fault = Conflict("not parked")
    again = await shop.http.post(url, json={"resolution": "retry"}, headers=support)
    assert (again.status_code, slug(again)) == (409, "nothing-parked")


async def test_the_audit_is_listed_by_object(shop: Shop) -> None:
    order = await bought(shop, "audited")
    answer = await shop.http.get(
        "/v1/admin/audit", params={"object_id": order.order_id}, headers=shop.person("root", "admin")
    )
    (entry,) = answer.json()["items"]
    assert (entry["action"], entry["actor"], entry["after"]["total"]) == (
        "order.request",
        "customer:ada",
        510,
    )


async def test_invariants_are_reported_with_their_area(shop: Shop) -> None:
    report = (await shop.http.get("/v1/admin/invariants", headers=shop.person("root", "admin"))).json()
    assert len(report["items"]) >= 10
    assert {"name", "area", "ok", "rows"} == set(report["items"][0])
    assert report["checked_at"].endswith("Z")


async def test_me_is_what_the_token_says(shop: Shop) -> None:
    answer = await shop.http.get("/v1/me", headers=shop.person("sam", "support", "finance"))
    assert answer.json() == {"subject": "sam", "roles": ["finance", "support"], "email": None}


async def test_a_payment_that_waits_for_the_bank_says_so(shop: Shop) -> None:
    order = await bought(shop, "bank")
    async with shop.gateway.database.transaction(SYSTEM) as tx:
        facts = ProviderPayment("pi_bank", PaymentStatus.REQUIRES_ACTION, Money(510, "GBP"))
        await tx.payments.record(order.payment_id, facts)
    shown = (await shop.http.get(f"/v1/orders/{order.order_id}", headers=order.headers)).json()
    assert shown["situation"]["waiting_for"] == "the payment provider"
