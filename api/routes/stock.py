"""Stock levels and the ledger of movements."""

from fastapi import Response

from api.deps import CallDep, SkuPath
from api.docs import problems
from api.errors import (
    AuthenticationRequired,
    CursorMalformed,
    Forbidden,
    IdempotencyKeyMalformed,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    InsufficientStock,
    InvalidRequest,
    ObjectNotFound,
)
from api.guard import guarded_router
from api.idempotency import IdempotencyKey, replay, slot
from api.policy import allow, staff
from api.routes.paging import CursorQuery, LimitQuery
from api.schemas.base import Page
from api.schemas.products import MovementCreate, MovementView, StockView
from api.services.stock import record_movement
from api.views import movement_view, stock_view
from commerce.domain.identity import Role

router = guarded_router(prefix="/v1/stock", tags=["stock"])
_WAREHOUSE = staff(Role.WAREHOUSE, Role.ADMIN)
_REFUSALS = (AuthenticationRequired, Forbidden, ObjectNotFound)


@router.get("/{sku}", operation_id="read_stock", responses=problems(*_REFUSALS))
@allow(_WAREHOUSE)
async def read_stock(sku: SkuPath, call: CallDep) -> StockView:
    async with call.gateway.database.reading() as tx:
        return stock_view(await tx.stock.level(sku))


@router.get(
    "/{sku}/movements", operation_id="list_movements", responses=problems(*_REFUSALS, CursorMalformed)
)
@allow(_WAREHOUSE)
async def list_movements(
    sku: SkuPath, call: CallDep, cursor: CursorQuery = None, limit: LimitQuery = 20
) -> Page[MovementView]:
    """Newest first; the level is the sum of all."""
    async with call.gateway.database.reading() as tx:
        await tx.stock.level(sku)
        movements, following = await tx.stock.movements(sku, cursor, limit)
    return Page(items=[movement_view(movement) for movement in movements], next_cursor=following)


@router.post(
    "/{sku}/movements",
    status_code=201,
    response_model=MovementView,
    operation_id="create_movement",
    responses=problems(
        *_REFUSALS,
        IdempotencyKeyMissing,
        IdempotencyKeyMalformed,
        IdempotencyKeyReused,
        InsufficientStock,
        InvalidRequest,
    ),
)
@allow(_WAREHOUSE)
async def create_movement(
    sku: SkuPath, payload: MovementCreate, call: CallDep, key: IdempotencyKey
) -> Response:
    """A receipt or a correction; stock never falls below what is promised."""
    place = slot(call.access.scope(), "movement", key, {"sku": sku, **payload.model_dump()})
    first = await record_movement(call, sku, payload, place)
    return replay(first.response, replayed=first.replayed)
