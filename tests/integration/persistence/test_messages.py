import psycopg
import pytest
from integration.persistence.builders import CONTEXT, captured_order, create_order
from integration.persistence.test_shipments import LABEL, LINES

from commerce.contracts.context import RequestContext
from commerce.contracts.notifications import NotificationKind
from commerce.contracts.statuses import NotificationStatus
from commerce.domain.errors import IdempotencyMismatch, NotFound
from commerce.domain.messaging import (
    InboxEvent,
    NewNotification,
    OutboxKind,
    OutboxMessage,
    StoredResponse,
)
from commerce.domain.orders import NewRefund
from commerce.persistence.database import SqlDatabase

KEY = ("customer:c1", "checkout", "key-1")


def message(name: str, key: str = "ord_1", topic: str = "order-placed") -> OutboxMessage:
    return OutboxMessage(name, OutboxKind.DOMAIN_EVENT, topic, key, {"order_id": key}, CONTEXT)


def event(name: str, provider: str = "stripe") -> InboxEvent:
    return InboxEvent(provider, name, "payment_intent.succeeded", None, order_id="ord_1", data={"a": [1]})


async def add(db: SqlDatabase, *messages: OutboxMessage) -> None:
    async with db.transaction(CONTEXT) as tx:
        for piece in messages:
            await tx.outbox.add(piece)


async def take(db: SqlDatabase, limit: int = 10, lease: float = 60.0) -> list[str]:
    async with db.transaction(CONTEXT) as tx:
        return [taken.id for taken in await tx.outbox.take(limit, lease)]


async def test_outbox_gives_each_message_out_once_per_lease(db: SqlDatabase) -> None:
    await add(db, message("e1", "a"), message("e2", "b"), message("e1", "a"))
    async with db.transaction(CONTEXT) as tx:
        (taken, _) = await tx.outbox.take(10, 0.0)
    assert (taken.id, taken.attempts, taken.payload, taken.context) == ("e1", 1, {"order_id": "a"}, CONTEXT)
    assert taken.occurred_at is not None
    assert await take(db) == ["e1", "e2"]
    assert await take(db) == []


async def test_outbox_skips_what_another_relay_has_locked(db: SqlDatabase) -> None:
    await add(db, message("e1", "a"), message("e2", "b"))
    async with db.transaction(CONTEXT) as tx:
        assert len(await tx.outbox.take(1, 60.0)) == 1
        assert await take(db) == ["e2"]


async def test_outbox_keeps_the_order_of_one_key(db: SqlDatabase) -> None:
    await add(db, message("e1"), message("e2"), message("other", topic="order-delivered"))
    assert await take(db, lease=0.0) == ["e1", "other"]
    async with db.transaction(CONTEXT) as tx:
        await tx.outbox.defer("e1", 60, "SNS is down")
    assert await take(db, lease=0.0) == ["other"]
    async with db.transaction(CONTEXT) as tx:
        await tx.outbox.mark_published(["e1", "other"])
    assert await take(db) == ["e2"]


async def test_publishing_wakes_the_relay_only_for_a_message_that_waited(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    await add(db, message("e1"), message("e2"))
    owner.autocommit = True
    owner.execute("LISTEN outbox")
    for name, woken in (("e1", ["outbox"]), ("e2", [])):
        async with db.transaction(CONTEXT) as tx:
            await tx.outbox.mark_published([name])
        heard = [notification.channel for notification in owner.notifies(timeout=0.2)]
        assert heard == woken


async def test_outbox_message_of_a_rolled_back_transaction_never_existed(db: SqlDatabase) -> None:
    async def fails() -> None:
        async with db.transaction(CONTEXT) as tx:
            await tx.outbox.add(message("e1"))
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await fails()
    assert await take(db) == []


async def test_inbox_stores_an_event_once_per_provider(db: SqlDatabase) -> None:
    async with db.transaction(CONTEXT) as tx:
        assert [await tx.inbox.store(event("e1")) for _ in range(2)] == [True, False]
        assert await tx.inbox.store(event("e1", "easypost")) is True
        (stored, other) = await tx.inbox.events(["e1", "none"])
    assert (stored.provider, stored.order_id, stored.data, stored.attempts) == (
        "stripe",
        "ord_1",
        {"a": [1]},
        0,
    )
    assert other.provider == "easypost"
    assert stored.received_at is not None


async def test_inbox_gives_out_until_told_and_counts_attempts(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    async with db.transaction(CONTEXT) as tx:
        for name in ("e1", "e2", "e3"):
            await tx.inbox.store(event(name))
    async with db.transaction(CONTEXT) as tx:
        assert [taken.event_id for taken in await tx.inbox.take(2, 0.0)] == ["e1", "e2"]
        await tx.inbox.mark_told("e1", "signalled", seen=False)
        await tx.inbox.mark_told("e2", "applied", seen=True)
        await tx.inbox.defer("e3", 60, "unknown order")
        assert await tx.inbox.take(10, 60.0) == []
        await tx.inbox.defer("e3", -1, "unknown order")
    async with db.transaction(CONTEXT) as tx:
        (third,) = await tx.inbox.take(10, 60.0)
        await tx.inbox.mark_seen(["e1", "e3"])
    assert (third.event_id, third.attempts) == ("e3", 1)
    marks = owner.execute(
        "SELECT event_id, told_at IS NOT NULL, seen_at IS NOT NULL, outcome FROM inbox ORDER BY event_id"
    ).fetchall()
    assert marks == [
        ("e1", True, True, "signalled"),
        ("e2", True, True, "applied"),
        ("e3", True, True, "unknown order"),
    ]


async def test_a_notification_is_one_per_order_kind_and_dedupe(db: SqlDatabase) -> None:
    order = await captured_order(db)
    async with db.transaction(CONTEXT) as tx:
        placed, refunded = NotificationKind.ORDER_PLACED, NotificationKind.ORDER_REFUNDED
        await tx.payments.create_refund(NewRefund("rfd_1", order.id, order.payment_id, 250, "broken"))
        assert await tx.notifications.create(NewNotification("n1", order.id, placed)) == "n1"
        assert await tx.notifications.create(NewNotification("n2", order.id, placed)) == "n1"
        assert await tx.notifications.create(NewNotification("n3", order.id, refunded, "rfd_1")) == "n3"
        await tx.shipments.create("shp_1", order.id, LINES)
        await tx.shipments.record_label("shp_1", LABEL)
        first, third = await tx.notifications.get("n1"), await tx.notifications.get("n3")
        with pytest.raises(NotFound):
            await tx.notifications.get("n2")
    assert (first.recipient, first.locale, first.status) == (
        "ada@example.org",
        "en",
        NotificationStatus.PENDING,
    )
    assert first.data == {
        "number": order.number,
        "currency": "GBP",
        "total": 1500,
        "refund_amount": None,
        "tracking_code": "TRACK1",
        "tracking_url": "https://track.example/1",
        "carrier": "royal",
    }
    assert third.data["refund_amount"] == 250


async def test_the_first_send_of_a_notification_counts(db: SqlDatabase) -> None:
    order = await create_order(db)
    async with db.transaction(CONTEXT) as tx:
        await tx.notifications.create(NewNotification("n1", order.id, NotificationKind.ORDER_PLACED))
        for reference in ("ses_1", "ses_2"):
            await tx.notifications.mark_sent("n1", reference)
        sent = await tx.notifications.get("n1")
    assert (sent.status, sent.provider_ref) == (NotificationStatus.SENT, "ses_1")


async def test_the_timeline_is_read_on_from_any_entry(db: SqlDatabase) -> None:
    order, other = await create_order(db), await create_order(db)
    async with db.transaction(CONTEXT) as tx:
        await tx.timeline.add(order.id, "placed", "Placed.", {"total": 1500})
        await tx.timeline.add(other.id, "placed", "Placed.")
    async with db.transaction(RequestContext("req_2")) as tx:
        await tx.timeline.add(order.id, "captured", "Taken.")
    async with db.reading() as tx:
        first, second = await tx.timeline.list(order.id, 0, 10)
        assert await tx.timeline.list(order.id, first.seq, 10) == [second]
        assert await tx.timeline.list(order.id, 0, 1) == [first]
        assert await tx.timeline.list(order.id, second.seq, 10) == []
    assert (first.kind, first.text, first.data, first.actor) == (
        "placed",
        "Placed.",
        {"total": 1500},
        "customer:c1",
    )
    assert (second.actor, second.data) == ("system", {})


async def test_audit_rows_say_who_for_whom_and_under_which_request(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    async with db.transaction(CONTEXT) as tx:
        await tx.audit.add("order.cancel", "order", "o1", before={"status": "Pending"})
        await tx.audit.add("order.refund", "order", "o1", after={"amount": 5})
        await tx.audit.add("product.write", "product", "p1")
    async with db.reading() as tx:
        newest, cursor = await tx.audit.list(None, None, 2)
        rest, end = await tx.audit.list(None, cursor, 2)
        of_order, _ = await tx.audit.list("o1", None, 10)
    assert [entry.action for entry in (*newest, *rest)] == ["product.write", "order.refund", "order.cancel"]
    assert end is None
    assert [entry.object_id for entry in of_order] == ["o1", "o1"]
    (first,) = rest
    assert (first.actor, first.on_behalf_of, first.request_id, first.before, first.after) == (
        "customer:c1",
        "support:s1",
        "req_1",
        {"status": "Pending"},
        None,
    )
    traces = owner.execute("SELECT DISTINCT traceparent FROM audit").fetchall()
    assert traces == [("00-trace",)]


async def test_an_idempotency_key_is_owned_by_the_first_and_bound_to_its_payload(db: SqlDatabase) -> None:
    async with db.transaction(CONTEXT) as tx:
        assert await tx.idempotency.find(*KEY, "print") is None
        first = await tx.idempotency.claim(*KEY, "print", "ord_1")
        again = await tx.idempotency.claim(*KEY, "print", "ord_2")
        for ask in (tx.idempotency.find(*KEY, "other"), tx.idempotency.claim(*KEY, "other", "ord_3")):
            with pytest.raises(IdempotencyMismatch):
                await ask
        elsewhere = await tx.idempotency.claim("customer:c2", *KEY[1:], "other", "ord_4")
    assert (first.created, first.object_id, first.response) == (True, "ord_1", None)
    assert (again.created, again.object_id) == (False, "ord_1")
    assert (elsewhere.created, elsewhere.object_id) == (True, "ord_4")


async def test_the_first_response_under_a_key_is_everyones(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    async with db.transaction(CONTEXT) as tx:
        await tx.idempotency.claim(*KEY, "print", "ord_1")
        first = await tx.idempotency.store_response(*KEY, StoredResponse(201, {"order_id": "ord_1"}))
        second = await tx.idempotency.store_response(*KEY, StoredResponse(402, {}))
        claim = await tx.idempotency.find(*KEY, "print")
        with pytest.raises(NotFound):
            await tx.idempotency.store_response("nobody", *KEY[1:], StoredResponse(200, {}))
    assert first == second == StoredResponse(201, {"order_id": "ord_1"})
    assert claim is not None
    assert claim.response == first
    assert "key-1" not in str(owner.execute("SELECT * FROM idempotency_keys").fetchall())
