"""Who did what to which object: appended in the transaction of the act, never changed."""

from collections.abc import Mapping, Sequence

from sqlalchemy import insert, select

from commerce.contracts.ids import new_id
from commerce.domain.messaging import AuditEntry
from commerce.persistence import cursors
from commerce.persistence.repositories.rows import context_columns
from commerce.persistence.tables.messaging import audit
from commerce.persistence.work import Work


class SqlAudit:
    def __init__(self, work: Work) -> None:
        self._work = work

    async def add(
        self,
        action: str,
        object_type: str,
        object_id: str,
        *,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
    ) -> None:
        await self._work.run(
            insert(audit).values(
                id=new_id("aud"),
                action=action,
                object_type=object_type,
                object_id=object_id,
                before=None if before is None else dict(before),
                after=None if after is None else dict(after),
                **context_columns(self._work.context),
            )
        )

    async def list(
        self, object_id: str | None, cursor: str | None, limit: int
    ) -> tuple[Sequence[AuditEntry], str | None]:
        """Newest first."""
        statement = select(audit).order_by(audit.c.seq.desc()).limit(limit + 1)
        if object_id is not None:
            statement = statement.where(audit.c.object_id == object_id)
        if cursor is not None:
            statement = statement.where(audit.c.seq < cursors.decode_seq(cursor))
        rows = await self._work.rows(statement)
        entries = [
            AuditEntry(
                id=row["id"],
                at=row["at"],
                actor=row["actor"],
                on_behalf_of=row["on_behalf_of"],
                request_id=row["request_id"],
                action=row["action"],
                object_type=row["object_type"],
                object_id=row["object_id"],
                before=row["before"],
                after=row["after"],
            )
            for row in rows[:limit]
        ]
        return entries, cursors.encode(rows[limit - 1]["seq"]) if len(rows) > limit else None
