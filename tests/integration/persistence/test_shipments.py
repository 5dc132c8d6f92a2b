from datetime import UTC, datetime, timedelta
from itertools import permutations

import psycopg
import pytest
from integration.persistence.builders import CONTEXT, CUP, TEA, create_order

from commerce.contracts.statuses import ShipmentStatus
from commerce.domain.errors import Conflict, Fenced, NotFound
from commerce.domain.orders import Shipment, ShipmentLine
from commerce.domain.providers import BoughtLabel, TrackingFact
from commerce.persistence.database import SqlDatabase

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
LABEL = BoughtLabel("royal", "ship_1", "TRACK1", "https://label.example/1", "https://track.example/1")
LINES = [ShipmentLine(1, TEA, 2, "main"), ShipmentLine(2, CUP, 1, "main")]


def news(number: int, status: ShipmentStatus | None) -> TrackingFact:
    return TrackingFact(f"evt_{number}", None, "TRACK1", status, "news", NOON + timedelta(hours=number))


async def labelled(db: SqlDatabase, shipment_id: str = "shp_1", code: str = "TRACK1") -> Shipment:
    order = await create_order(db)
    async with db.transaction(CONTEXT) as tx:
        await tx.shipments.create(shipment_id, order.id, LINES)
        return await tx.shipments.record_label(
            shipment_id, BoughtLabel("royal", f"ref_{code}", code, "https://l.example", None)
        )


async def track(db: SqlDatabase, *facts: TrackingFact) -> tuple[Shipment, bool]:
    async with db.transaction(CONTEXT) as tx:
        return await tx.shipments.record_tracking("shp_1", facts)


async def test_create_repeated_returns_the_stored_one(db: SqlDatabase) -> None:
    order = await create_order(db)
    async with db.transaction(CONTEXT) as tx:
        first = await tx.shipments.create("shp_1", order.id, LINES)
        again = await tx.shipments.create("shp_1", order.id, LINES[:1])
        assert await tx.shipments.for_order(order.id, lock=True) == [first]
    assert again == first
    assert (first.status, first.lines, first.carrier) == (ShipmentStatus.ALLOCATED, LINES, "")


async def test_a_label_moves_the_parcel_and_makes_it_findable(db: SqlDatabase) -> None:
    order = await create_order(db)
    async with db.transaction(CONTEXT) as tx:
        await tx.shipments.create("shp_1", order.id, LINES)
        for _ in range(2):
            shipment = await tx.shipments.record_label("shp_1", LABEL)
        assert await tx.shipments.find_by_tracking("TRACK1") == shipment
        assert await tx.shipments.find_by_tracking("TRACK2") is None
    assert (shipment.status, shipment.carrier, shipment.carrier_ref, shipment.label_url) == (
        ShipmentStatus.LABELLED,
        "royal",
        "ship_1",
        "https://label.example/1",
    )


async def test_tracking_in_any_order_and_twice_ends_the_same(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    facts = [
        news(1, ShipmentStatus.HANDED_OVER),
        news(2, ShipmentStatus.OUT_FOR_DELIVERY),
        news(3, ShipmentStatus.DELIVERED),
        news(4, None),
    ]
    await labelled(db)
    for order_of_news in permutations(facts):
        owner.execute("DELETE FROM tracking_facts")
        owner.execute("UPDATE shipments SET status = 'labelled', delivered_at = NULL, handed_over_at = NULL")
        owner.commit()
        changes = [(await track(db, fact))[1] for fact in (*order_of_news, *order_of_news)]
        shipment, changed = await track(db, *order_of_news)
        assert (shipment.status, shipment.delivered_at) == (
            ShipmentStatus.DELIVERED,
            NOON + timedelta(hours=3),
        )
        assert shipment.handed_over_at is not None
        assert not changed
        assert 1 <= sum(changes[:4]) <= 3
        assert not any(changes[4:])
        assert owner.execute("SELECT count(*) FROM tracking_facts").fetchone() == (4,)
        owner.rollback()


async def test_a_lost_parcel_may_still_be_delivered(db: SqlDatabase) -> None:
    await labelled(db)
    assert (await track(db, news(1, ShipmentStatus.LOST)))[1]
    assert not (await track(db, news(2, ShipmentStatus.OUT_FOR_DELIVERY)))[1]
    shipment, changed = await track(db, news(3, ShipmentStatus.DELIVERED))
    assert (shipment.status, changed) == (ShipmentStatus.DELIVERED, True)


async def test_a_cancelled_parcel_refuses_its_label_and_keeps_its_status(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    order = await create_order(db)
    async with db.transaction(CONTEXT) as tx:
        await tx.shipments.create("shp_1", order.id, LINES)
        await tx.shipments.cancel("shp_1")
        assert (await tx.shipments.cancel("shp_1")).status is ShipmentStatus.CANCELLED
    with pytest.raises(Fenced):
        async with db.transaction(CONTEXT) as tx:
            await tx.shipments.record_label("shp_1", LABEL)
    shipment, changed = await track(db, news(1, ShipmentStatus.HANDED_OVER))
    assert (shipment.status, changed, shipment.tracking_code) == (ShipmentStatus.CANCELLED, False, None)
    assert owner.execute("SELECT event_id FROM tracking_facts").fetchall() == [("evt_1",)]


async def test_a_parcel_that_left_the_house_cannot_be_cancelled(db: SqlDatabase) -> None:
    await labelled(db)
    await track(db, news(1, ShipmentStatus.HANDED_OVER))
    with pytest.raises(Conflict):
        async with db.transaction(CONTEXT) as tx:
            await tx.shipments.cancel("shp_1")
    async with db.reading() as tx:
        assert (await tx.shipments.get("shp_1")).status is ShipmentStatus.HANDED_OVER


async def test_silent_parcels_are_those_on_their_way_without_news(
    db: SqlDatabase, owner: psycopg.Connection
) -> None:
    await labelled(db)
    await labelled(db, "shp_2", "TRACK2")
    async with db.transaction(CONTEXT) as tx:
        await tx.shipments.cancel("shp_2")
        assert await tx.shipments.silent(60, 10) == []
    owner.execute("UPDATE shipments SET updated_at = now() - interval '2 minutes'")
    owner.commit()
    async with db.reading() as tx:
        assert [shipment.id for shipment in await tx.shipments.silent(60, 10)] == ["shp_1"]
    await track(db, news(1, None))
    async with db.reading() as tx:
        assert await tx.shipments.silent(60, 10) == []


async def test_unknown_parcels_are_not_found(db: SqlDatabase) -> None:
    async with db.transaction(CONTEXT) as tx:
        for ask in (
            tx.shipments.get("x"),
            tx.shipments.get("x", lock=True),
            tx.shipments.record_label("x", LABEL),
            tx.shipments.record_tracking("x", []),
            tx.shipments.cancel("x"),
        ):
            with pytest.raises(NotFound):
                await ask
