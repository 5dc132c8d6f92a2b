"""What happened to an order, as its shopper and support may read it."""

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from commerce.domain.errors import NotFound
from commerce.domain.orders import TimelineEntry
from commerce.persistence.tables.messaging import timeline
from commerce.persistence.work import Work

_ADD = text(
    """
    WITH locked AS MATERIALIZED (SELECT id FROM orders WHERE id = :order_id FOR NO KEY UPDATE)
    INSERT INTO timeline (order_id, kind, text, data, actor)
    SELECT id, :kind, :text, :data, :actor FROM locked
    RETURNING seq
    """
).bindparams(bindparam("data", type_=JSONB))
"""Under the order's lock the entries of an order are committed in the order of `seq`: a reader that asks
for what came after the last one it saw misses none."""


class SqlTimeline:
    def __init__(self, work: Work) -> None:
        self._work = work

    async def add(
        self, order_id: str, kind: str, text: str, data: Mapping[str, str | int | bool | None] | None = None
    ) -> None:
        values = {
            "order_id": order_id,
            "kind": kind,
            "text": text,
            "data": dict(data or {}),
            "actor": self._work.context.actor,
        }
        row = await self._work.first(_ADD, values)
        if row is None:
            raise NotFound("order", order_id)
        self._work.news[order_id] = row["seq"]

    async def list(self, order_id: str, after_seq: int, limit: int) -> Sequence[TimelineEntry]:
        rows = await self._work.rows(
            select(timeline)
            .where(timeline.c.order_id == order_id, timeline.c.seq > after_seq)
            .order_by(timeline.c.seq)
            .limit(limit)
        )
        return [
            TimelineEntry(
                seq=row["seq"],
                order_id=row["order_id"],
                kind=row["kind"],
                text=row["text"],
                at=row["at"],
                actor=row["actor"],
                data=row["data"],
            )
            for row in rows
        ]
