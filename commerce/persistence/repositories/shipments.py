"""Parcels and the carrier's news about them."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from commerce.contracts.statuses import ShipmentStatus
from commerce.domain.errors import Conflict, Fenced, NotFound
from commerce.domain.orders import Shipment, ShipmentLine
from commerce.domain.providers import BoughtLabel, TrackingFact
from commerce.domain.states import HANDED_OVER_FROM, SHIPMENT_RANK
from commerce.persistence.repositories.clock import older_than
from commerce.persistence.repositories.views import shipments_where
from commerce.persistence.tables.orders import orders, shipment_lines, shipments, tracking_facts
from commerce.persistence.work import Work

_ON_THEIR_WAY = (ShipmentStatus.LABELLED, ShipmentStatus.HANDED_OVER, ShipmentStatus.OUT_FOR_DELIVERY)


class SqlShipments:
    def __init__(self, work: Work) -> None:
        self._work = work

    async def create(self, shipment_id: str, order_id: str, lines: Sequence[ShipmentLine]) -> Shipment:
        created = await self._work.run(
            upsert(shipments)
            .values(id=shipment_id, order_id=order_id)
            .on_conflict_do_nothing(index_elements=[shipments.c.id])
        )
        if created:
            rows = [{"shipment_id": shipment_id, "order_id": order_id, **asdict(line)} for line in lines]
            await self._work.run(insert(shipment_lines), rows)
        return await self.get(shipment_id)

    async def get(self, shipment_id: str, *, lock: bool = False) -> Shipment:
        if lock:
            await self._lock(shipment_id)
        found = await shipments_where(self._work, shipments.c.id == shipment_id)
        if not found:
            raise NotFound("shipment", shipment_id)
        return found[0]

    async def _lock(self, shipment_id: str) -> None:
        await self._work.run(
            select(shipments.c.id)
            .join(orders, orders.c.id == shipments.c.order_id)
            .where(shipments.c.id == shipment_id)
            .with_for_update(of=[orders, shipments], key_share=True)
        )

    async def for_order(self, order_id: str, *, lock: bool = False) -> Sequence[Shipment]:
        if lock:
            await self._work.run(
                select(orders.c.id).where(orders.c.id == order_id).with_for_update(key_share=True)
            )
        return await shipments_where(self._work, shipments.c.order_id == order_id)

    async def find_by_tracking(self, tracking_code: str) -> Shipment | None:
        found = await shipments_where(self._work, shipments.c.tracking_code == tracking_code)
        return found[0] if found else None

    async def record_label(self, shipment_id: str, label: BoughtLabel) -> Shipment:
        shipment = await self.get(shipment_id, lock=True)
        if shipment.status is ShipmentStatus.CANCELLED:
            raise Fenced(f"shipment {shipment_id} was cancelled before its label came")
        status = (
            shipment.status if shipment.status is not ShipmentStatus.ALLOCATED else ShipmentStatus.LABELLED
        )
        await self._set(
            shipment_id,
            status=status,
            carrier=label.carrier,
            carrier_ref=label.carrier_ref,
            tracking_code=label.tracking_code,
            label_url=label.label_url,
            tracking_url=label.tracking_url,
        )
        return await self.get(shipment_id)

    async def record_tracking(self, shipment_id: str, facts: Sequence[TrackingFact]) -> tuple[Shipment, bool]:
        shipment = await self.get(shipment_id, lock=True)
        if facts:
            await self._store_facts(shipment_id, facts)
        changes: dict[str, object] = {}
        if shipment.status is not ShipmentStatus.CANCELLED:
            changes = _changes(shipment, facts)
        await self._set(shipment_id, **changes)
        return await self.get(shipment_id), "status" in changes

    async def _store_facts(self, shipment_id: str, facts: Sequence[TrackingFact]) -> None:
        rows = [
            {
                "shipment_id": shipment_id,
                "event_id": fact.event_id,
                "status": fact.status,
                "text": fact.text,
                "occurred_at": fact.occurred_at,
            }
            for fact in facts
        ]
        await self._work.run(upsert(tracking_facts).on_conflict_do_nothing(), rows)

    async def cancel(self, shipment_id: str) -> Shipment:
        shipment = await self.get(shipment_id, lock=True)
        if shipment.status is ShipmentStatus.CANCELLED:
            return shipment
        if SHIPMENT_RANK[shipment.status] >= HANDED_OVER_FROM:
            raise Conflict(f"shipment {shipment_id} is {shipment.status}: it has left the house")
        await self._set(shipment_id, status=ShipmentStatus.CANCELLED)
        return await self.get(shipment_id)

    async def _set(self, shipment_id: str, **changes: object) -> None:
        """`updated_at` also counts news that changed nothing: the carrier was heard."""
        await self._work.run(
            update(shipments)
            .where(shipments.c.id == shipment_id)
            .values(updated_at=func.clock_timestamp(), **changes)
        )

    async def silent(self, older_than_seconds: float, limit: int) -> Sequence[Shipment]:
        return await shipments_where(
            self._work,
            shipments.c.status.in_(_ON_THEIR_WAY),
            older_than(shipments.c.updated_at, older_than_seconds),
            limit=limit,
        )


def _changes(shipment: Shipment, facts: Sequence[TrackingFact]) -> dict[str, object]:
    changes: dict[str, object] = {}
    status = shipment.status
    for fact in sorted(facts, key=lambda fact: fact.occurred_at):
        if fact.status is None or SHIPMENT_RANK[fact.status] <= SHIPMENT_RANK[status]:
            continue
        status = changes["status"] = fact.status
        if SHIPMENT_RANK[status] >= HANDED_OVER_FROM and shipment.handed_over_at is None:
            changes.setdefault("handed_over_at", fact.occurred_at)
        if status is ShipmentStatus.DELIVERED:
            changes["delivered_at"] = fact.occurred_at
    return changes
