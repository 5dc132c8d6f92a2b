"""What providers tell us: verified over the raw bytes, stored, and only then acknowledged."""

from typing import Annotated

from fastapi import Path, Request

from api.deps import CallDep
from api.docs import problems
from api.errors import BodyTooLarge, ObjectNotFound, WebhookSignatureInvalid
from api.guard import guarded_router
from api.policy import allow, signed_by_provider
from api.schemas.admin import WebhookReceipt
from api.services.webhooks import receive

router = guarded_router(prefix="/v1/webhooks", tags=["webhooks"])
_REFUSALS = (WebhookSignatureInvalid, BodyTooLarge)


@router.post("/stripe", operation_id="receive_stripe_webhook", responses=problems(*_REFUSALS))
@allow(signed_by_provider())
async def receive_stripe_webhook(request: Request, call: CallDep) -> WebhookReceipt:
    """Acknowledged once it is stored, however often it comes."""
    return await receive(call, call.gateway.payments["stripe"], request)


@router.post(
    "/carriers/{carrier}",
    operation_id="receive_carrier_webhook",
    responses=problems(*_REFUSALS, ObjectNotFound),
)
@allow(signed_by_provider())
async def receive_carrier_webhook(
    carrier: Annotated[str, Path(max_length=64)], request: Request, call: CallDep
) -> WebhookReceipt:
    """Acknowledged once it is stored, however often it comes."""
    adapter = call.gateway.carriers.get(carrier)
    if adapter is None:
        raise ObjectNotFound("No carrier of this name.")
    return await receive(call, adapter, request)
