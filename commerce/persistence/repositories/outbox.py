"""The outbox. A trigger wakes the relay (`NOTIFY outbox`) when a row is committed."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from commerce.domain.messaging import OutboxKind, OutboxMessage
from commerce.persistence.repositories.clock import in_seconds
from commerce.persistence.repositories.rows import context_columns, context_of
from commerce.persistence.tables.messaging import outbox
from commerce.persistence.work import Work

_earlier = outbox.alias("earlier")
_HAS_EARLIER = (
    select(_earlier.c.seq)
    .where(
        _earlier.c.topic == outbox.c.topic,
        _earlier.c.key == outbox.c.key,
        _earlier.c.published_at.is_(None),
        _earlier.c.seq < outbox.c.seq,
    )
    .exists()
)


_PUBLISHED = text(
    """
    WITH done AS (
        UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY(CAST(:ids AS text[]))
        RETURNING topic, key
    )
    SELECT pg_notify('outbox', '') WHERE EXISTS (
        SELECT FROM outbox JOIN done USING (topic, key)
        WHERE published_at IS NULL AND id <> ALL(CAST(:ids AS text[]))
    )
    """
)
"""Wakes the relay again for messages that waited for these."""


class SqlOutbox:
    """Messages of one topic and key go out in the order they were added, each after the one before it."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def add(self, message: OutboxMessage) -> None:
        await self._work.run(
            insert(outbox)
            .values(
                id=message.id,
                kind=message.kind,
                topic=message.topic,
                key=message.key,
                payload=message.payload,
                **context_columns(message.context),
                **({"occurred_at": message.occurred_at} if message.occurred_at else {}),
            )
            .on_conflict_do_nothing(index_elements=[outbox.c.id])
        )

    async def take(self, limit: int, lease_seconds: float) -> Sequence[OutboxMessage]:
        due = (
            select(outbox.c.seq)
            .where(outbox.c.published_at.is_(None), outbox.c.due_at <= func.clock_timestamp(), ~_HAS_EARLIER)
            .order_by(outbox.c.seq)
            .limit(limit)
            .with_for_update(skip_locked=True, of=outbox)
        )
        rows = await self._work.rows(
            update(outbox)
            .where(outbox.c.seq.in_(due))
            .values(due_at=in_seconds(lease_seconds), attempts=outbox.c.attempts + 1)
            .returning(outbox)
        )
        return [_message_of(row) for row in sorted(rows, key=lambda row: int(row["seq"]))]

    async def mark_published(self, message_ids: Sequence[str]) -> None:
        await self._work.run(_PUBLISHED, {"ids": list(message_ids)})

    async def defer(self, message_id: str, seconds: float, error: str) -> None:
        await self._work.run(
            update(outbox)
            .where(outbox.c.id == message_id)
            .values(due_at=in_seconds(seconds), last_error=error)
        )


def _message_of(row: RowMapping) -> OutboxMessage:
    return OutboxMessage(
        id=row["id"],
        kind=OutboxKind(row["kind"]),
        topic=row["topic"],
        key=row["key"],
        payload=row["payload"],
        context=context_of(row),
        occurred_at=row["occurred_at"],
        attempts=row["attempts"],
    )
