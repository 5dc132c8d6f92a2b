"""The port `EventPublisher` on SNS.

Envelope, JSON: `id` (the event's, by which consumers deduplicate), `type`, `key` (the object's id),
`occurred_at` (RFC 3339 or null), `context` (request_id, traceparent, actor, on_behalf_of) and `data`, the
event's own fields. The message attributes `event_id`, `event_type` and `key` let a subscription filter;
they hold ids and names, nothing about a person.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from commerce.domain.messaging import OutboxMessage
from commerce.providers.aws.clients import Service

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef


class SnsEvents:
    """At least once, without order between topics. Raises ProviderError's three kinds."""

    def __init__(self, sns: Service[SNSClient], topic_prefix: str) -> None:
        """`topic_prefix` is a topic's ARN without its name."""
        self._service = sns
        self._topic_prefix = topic_prefix

    async def publish(self, message: OutboxMessage) -> None:
        event_type = event_type_of(message)
        await self._service.write(
            self._service.client.publish,
            TopicArn=self._topic_prefix + message.topic,
            Message=envelope(message),
            MessageAttributes={
                "event_id": _text(message.id),
                "event_type": _text(event_type),
                "key": _text(message.key),
            },
        )


def event_type_of(message: OutboxMessage) -> str:
    """The payload's own `type`, such as OrderPlaced, else the topic."""
    return str(message.payload.get("type") or message.topic)


def envelope(message: OutboxMessage) -> str:
    return json.dumps(
        {
            "id": message.id,
            "type": event_type_of(message),
            "key": message.key,
            "occurred_at": message.occurred_at.isoformat() if message.occurred_at else None,
            "context": asdict(message.context),
            "data": {name: value for name, value in message.payload.items() if name != "type"},
        }
    )


def _text(value: str) -> MessageAttributeValueTypeDef:
    return {"DataType": "String", "StringValue": value}
