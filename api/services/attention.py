"""Support's decisions on what cannot go on by itself."""

from hashlib import sha256

from api.deps import Call
from api.errors import NothingParked
from api.schemas.orders import CompensationDecision
from commerce.contracts.checkout import Resolution, ResolveCompensation
from commerce.domain.errors import Conflict, NotFound


async def decide(call: Call, order_id: str, step: str, decision: CompensationDecision) -> None:
    """The order's workflow records and audits it. Raises NotFound for no order, NothingParked."""
    async with call.gateway.database.reading() as tx:
        await tx.orders.get(order_id)
    resolution = Resolution(decision.resolution)
    command = ResolveCompensation(step, resolution, call.context, decision.reference)
    named = f"{order_id}\x1f{step}\x1f{resolution}\x1f{call.request_id}"
    update_id = sha256(named.encode()).hexdigest()
    try:
        await call.gateway.workflows.resolve_compensation(order_id, command, update_id)
    except (NotFound, Conflict) as error:
        raise NothingParked from error
