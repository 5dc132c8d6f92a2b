"""`Idempotency-Key`: one effect and one answer for one key of one caller, as long as the row is kept.

The key itself is never stored: rows and Temporal's update ids hold hashes that name the caller as well.
"""

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Header
from starlette.responses import JSONResponse, Response

from api.errors import Fault, IdempotencyKeyMalformed, IdempotencyKeyMissing, Json
from api.problems import ProblemResponse
from commerce.domain.messaging import IdempotencyClaim, StoredResponse
from commerce.domain.ports import UnitOfWork

_KEY = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,255}")
_POINTER = "/header/idempotency-key"


def parse_key(header: str | None) -> str:
    """Takes it quoted (as the IETF draft has it) or bare. Raises IdempotencyKeyMissing or …Malformed."""
    if header is None or not header.strip():
        raise IdempotencyKeyMissing(faults=[Fault("this header is needed", _POINTER)])
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyMalformed(
            faults=[Fault("1 to 255 letters, digits or ._~:/+=@- in one word", _POINTER)]
        )
    return key


def _required_key(
    idempotency_key: Annotated[
        str | None,
        Header(
            description="1 to 255 characters of your choice, quoted or not; a repeat gets the first answer.",
            examples=["4f1c0a7e-order-1"],
        ),
    ] = None,
) -> str:
    return parse_key(idempotency_key)


IdempotencyKey = Annotated[str, Depends(_required_key)]


@dataclass(frozen=True)
class Slot:
    """Where a caller's key stands in the table: hashed, with the payload's fingerprint."""

    scope: str
    operation: str
    key: str
    fingerprint: str

    @property
    def update_id(self) -> str:
        """The same for every repeat of a call, another for another caller's equal key."""
        return _digest(self.scope, self.operation, self.key)

    async def find(self, tx: UnitOfWork) -> IdempotencyClaim | None:
        return await tx.idempotency.find(self.scope, self.operation, self.key, self.fingerprint)

    async def claim(self, tx: UnitOfWork, object_id: str) -> IdempotencyClaim:
        return await tx.idempotency.claim(self.scope, self.operation, self.key, self.fingerprint, object_id)

    async def store(self, tx: UnitOfWork, answer: StoredResponse) -> StoredResponse:
        return await tx.idempotency.store_response(self.scope, self.operation, self.key, answer)


def slot(scope: str, operation: str, key: str, payload: Json) -> Slot:
    """`payload` is what must be equal for two calls to be the same; its order of fields does not matter."""
    canonical = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return Slot(scope, operation, _digest(scope, key), _digest(operation, canonical))


def _digest(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode()).hexdigest()


def replay(answer: StoredResponse, *, replayed: bool) -> Response:
    """The stored answer as it was given first."""
    kind = ProblemResponse if answer.status >= 400 else JSONResponse
    headers = {"Idempotency-Replayed": "true"} if replayed else {}
    return kind(answer.body, answer.status, headers)
