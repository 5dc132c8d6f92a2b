"""Idempotency keys: who owns a key, and the first answer given under it. Keys are stored hashed."""

import hashlib

from sqlalchemy import ColumnElement, RowMapping, and_, select, update
from sqlalchemy.dialects.postgresql import insert

from commerce.domain.errors import IdempotencyMismatch, NotFound
from commerce.domain.messaging import IdempotencyClaim, StoredResponse
from commerce.persistence.tables.messaging import idempotency_keys
from commerce.persistence.work import Work


class SqlIdempotency:
    def __init__(self, work: Work) -> None:
        self._work = work

    async def find(self, scope: str, operation: str, key: str, fingerprint: str) -> IdempotencyClaim | None:
        row = await self._work.first(select(idempotency_keys).where(_is(scope, operation, key)))
        return _claim_of(row, fingerprint) if row is not None else None

    async def claim(
        self, scope: str, operation: str, key: str, fingerprint: str, object_id: str
    ) -> IdempotencyClaim:
        created = await self._work.run(
            insert(idempotency_keys)
            .values(
                scope=scope,
                operation=operation,
                key_hash=_hashed(key),
                fingerprint=fingerprint,
                object_id=object_id,
            )
            .on_conflict_do_nothing()
        )
        if created:
            return IdempotencyClaim(created=True, object_id=object_id)
        claim = await self.find(scope, operation, key, fingerprint)
        if claim is None:
            raise NotFound("idempotency key of", operation)
        return claim

    async def store_response(
        self, scope: str, operation: str, key: str, response: StoredResponse
    ) -> StoredResponse:
        row = await self._work.first(
            update(idempotency_keys)
            .where(_is(scope, operation, key), idempotency_keys.c.response_status.is_(None))
            .values(response_status=response.status, response_body=response.body)
            .returning(idempotency_keys.c.response_status)
        )
        if row is not None:
            return response
        stored = await self._work.first(select(idempotency_keys).where(_is(scope, operation, key)))
        if stored is None:
            raise NotFound("idempotency key of", operation)
        return StoredResponse(stored["response_status"], stored["response_body"])


def _claim_of(row: RowMapping, fingerprint: str) -> IdempotencyClaim:
    if row["fingerprint"] != fingerprint:
        raise IdempotencyMismatch("the idempotency key was used with another payload")
    response = None
    if row["response_status"] is not None:
        response = StoredResponse(row["response_status"], row["response_body"])
    return IdempotencyClaim(created=False, object_id=row["object_id"], response=response)


def _is(scope: str, operation: str, key: str) -> ColumnElement[bool]:
    return and_(
        idempotency_keys.c.scope == scope,
        idempotency_keys.c.operation == operation,
        idempotency_keys.c.key_hash == _hashed(key),
    )


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
