"""What staff look at and decide."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path

from api.deps import CallDep, OrderId
from api.docs import problems
from api.errors import (
    AuthenticationRequired,
    CursorMalformed,
    Forbidden,
    InvalidRequest,
    NothingParked,
    ObjectNotFound,
    Unavailable,
)
from api.guard import guarded_router
from api.policy import allow, staff
from api.routes.paging import CursorQuery, FilterQuery, LimitQuery
from api.schemas.admin import AuditView, InvariantReport
from api.schemas.base import Page
from api.schemas.orders import AttentionItem, CompensationDecision
from api.services.attention import decide
from api.views import attention_item, audit_view, invariant_view
from commerce.domain.identity import Role

router = guarded_router(prefix="/v1/admin", tags=["admin"])
_STAFF = staff(Role.SUPPORT, Role.ADMIN)
_REFUSALS = (AuthenticationRequired, Forbidden)


@router.get("/invariants", operation_id="check_invariants", responses=problems(*_REFUSALS))
@allow(_STAFF)
async def check_invariants(call: CallDep) -> InvariantReport:
    """Whether the books hold, with the offending rows where they do not."""
    async with call.gateway.database.reading() as tx:
        results = await tx.invariants.check()
    return InvariantReport(items=[invariant_view(result) for result in results], checked_at=datetime.now(UTC))


@router.get("/audit", operation_id="list_audit", responses=problems(*_REFUSALS, CursorMalformed))
@allow(_STAFF)
async def list_audit(
    call: CallDep, object_id: FilterQuery = None, cursor: CursorQuery = None, limit: LimitQuery = 50
) -> Page[AuditView]:
    """Who did what, on whose behalf, under which request; newest first."""
    async with call.gateway.database.reading() as tx:
        entries, following = await tx.audit.list(object_id, cursor, limit)
    return Page(items=[audit_view(entry) for entry in entries], next_cursor=following)


@router.get("/attention", operation_id="list_attention", responses=problems(*_REFUSALS, CursorMalformed))
@allow(_STAFF)
async def list_attention(
    call: CallDep, cursor: CursorQuery = None, limit: LimitQuery = 50
) -> Page[AttentionItem]:
    """Orders that cannot go on without a person, with the reason."""
    async with call.gateway.database.reading() as tx:
        orders, following = await tx.orders.needing_attention(cursor, limit)
    return Page(items=[attention_item(order) for order in orders], next_cursor=following)


@router.post(
    "/orders/{order_id}/compensations/{step}",
    status_code=202,
    response_model=None,
    operation_id="resolve_compensation",
    responses=problems(*_REFUSALS, ObjectNotFound, NothingParked, InvalidRequest, Unavailable),
)
@allow(_STAFF)
async def resolve_compensation(
    order_id: OrderId,
    step: Annotated[str, Path(max_length=100)],
    payload: CompensationDecision,
    call: CallDep,
) -> None:
    """Support's word on a parked undo: try again now, done by hand, or written off. Audited."""
    await decide(call, order_id, step, payload)
