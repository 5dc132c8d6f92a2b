"""The inbox of verified webhooks. A trigger wakes the relay (`NOTIFY inbox`) when a row is committed."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert

from commerce.domain.messaging import InboxEvent
from commerce.persistence.repositories.clock import in_seconds
from commerce.persistence.tables.messaging import inbox
from commerce.persistence.work import Work


class SqlInbox:
    def __init__(self, work: Work) -> None:
        self._work = work

    async def store(self, event: InboxEvent) -> bool:
        stored = await self._work.run(
            insert(inbox)
            .values(
                provider=event.provider,
                event_id=event.event_id,
                kind=event.kind,
                order_id=event.order_id,
                payment_id=event.payment_id,
                refund_id=event.refund_id,
                shipment_id=event.shipment_id,
                provider_ref=event.provider_ref,
                data=event.data,
            )
            .on_conflict_do_nothing(constraint="inbox_event_key")
        )
        return stored == 1

    async def take(self, limit: int, lease_seconds: float) -> Sequence[InboxEvent]:
        due = (
            select(inbox.c.seq)
            .where(inbox.c.told_at.is_(None), inbox.c.due_at <= func.clock_timestamp())
            .order_by(inbox.c.seq)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = await self._work.rows(
            update(inbox)
            .where(inbox.c.seq.in_(due))
            .values(due_at=in_seconds(lease_seconds), attempts=inbox.c.attempts + 1)
            .returning(inbox)
        )
        return [_event_of(row) for row in sorted(rows, key=lambda row: int(row["seq"]))]

    async def mark_told(self, event_id: str, outcome: str, *, seen: bool) -> None:
        now = func.clock_timestamp()
        await self._work.run(
            update(inbox)
            .where(inbox.c.event_id == event_id)
            .values(
                told_at=func.coalesce(inbox.c.told_at, now),
                outcome=outcome,
                **({"seen_at": func.coalesce(inbox.c.seen_at, now)} if seen else {}),
            )
        )

    async def defer(self, event_id: str, seconds: float, outcome: str) -> None:
        await self._work.run(
            update(inbox)
            .where(inbox.c.event_id == event_id)
            .values(due_at=in_seconds(seconds), outcome=outcome)
        )

    async def events(self, event_ids: Sequence[str]) -> Sequence[InboxEvent]:
        rows = await self._work.rows(
            select(inbox).where(inbox.c.event_id.in_(event_ids)).order_by(inbox.c.seq)
        )
        return [_event_of(row) for row in rows]

    async def mark_seen(self, event_ids: Sequence[str]) -> None:
        """A workflow may read a fact in the moment before the relay notes that it was told."""
        now = func.clock_timestamp()
        await self._work.run(
            update(inbox)
            .where(inbox.c.event_id.in_(event_ids))
            .values(seen_at=func.coalesce(inbox.c.seen_at, now), told_at=func.coalesce(inbox.c.told_at, now))
        )


def _event_of(row: RowMapping) -> InboxEvent:
    return InboxEvent(
        provider=row["provider"],
        event_id=row["event_id"],
        kind=row["kind"],
        received_at=row["received_at"],
        order_id=row["order_id"],
        payment_id=row["payment_id"],
        refund_id=row["refund_id"],
        shipment_id=row["shipment_id"],
        provider_ref=row["provider_ref"],
        data=row["data"],
        attempts=row["attempts"],
    )
