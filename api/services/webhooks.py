"""Verify the raw bytes, store the event, answer: the relay tells the workflow."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import structlog
from starlette.requests import Request

from api.deps import Call
from api.errors import WebhookSignatureInvalid
from api.metrics import WEBHOOKS
from api.schemas.admin import WebhookReceipt
from commerce.domain.errors import ProviderRefused
from commerce.domain.messaging import received
from commerce.domain.providers import ProviderEvent

log = structlog.get_logger("api.webhooks")


class Sender(Protocol):
    name: str

    def parse_webhook(self, payload: bytes, headers: Mapping[str, str]) -> ProviderEvent: ...


async def receive(call: Call, sender: Sender, request: Request) -> WebhookReceipt:
    """Raises WebhookSignatureInvalid with nothing stored. A repeat is acknowledged and stored once."""
    payload = await request.body()
    try:
        event = sender.parse_webhook(payload, request.headers)
    except ProviderRefused as error:
        WEBHOOKS.labels(sender.name, "refused").inc()
        log.warning("webhook refused", provider=sender.name, code=error.code)
        raise WebhookSignatureInvalid from error
    context = replace(call.context, actor=f"provider:{sender.name}")
    async with call.gateway.database.transaction(context) as tx:
        fresh = await tx.inbox.store(received(event))
    WEBHOOKS.labels(sender.name, "stored" if fresh else "duplicate").inc()
    return WebhookReceipt(duplicate=not fresh)
