"""Recording stock movements, once per key."""

from api.deps import Call
from api.errors import InsufficientStock
from api.idempotency import Slot
from api.schemas.products import MovementCreate
from api.services.checkout import FirstAnswer
from api.views import movement_view
from commerce.contracts.ids import new_id
from commerce.domain.errors import Conflict
from commerce.domain.messaging import StoredResponse
from commerce.domain.ports import UnitOfWork

MOVEMENT = "mov"


async def record_movement(call: Call, sku: str, payload: MovementCreate, slot: Slot) -> FirstAnswer:
    """Key, movement, audit and answer in one transaction. Raises NotFound, InsufficientStock."""

    async def work(tx: UnitOfWork) -> FirstAnswer:
        claim = await slot.claim(tx, new_id(MOVEMENT))
        if claim.response is not None:
            return FirstAnswer(claim.response, replayed=True)
        movement = await tx.stock.move(
            sku, payload.warehouse, payload.delta, payload.reason, key=claim.object_id
        )
        facts = {"sku": sku, "warehouse": payload.warehouse, "delta": payload.delta, "reason": payload.reason}
        await tx.audit.add("stock.move", "stock", sku, after=facts)
        answer = StoredResponse(201, movement_view(movement).model_dump(mode="json"))
        return FirstAnswer(await slot.store(tx, answer), replayed=False)

    try:
        return await call.transact(work)
    except Conflict as error:
        raise InsufficientStock from error
