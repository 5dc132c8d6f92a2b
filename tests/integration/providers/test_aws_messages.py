import json
from datetime import UTC, datetime

import pytest

from commerce.contracts.context import RequestContext
from commerce.contracts.ids import EVENT, NOTIFICATION, ORDER, new_id
from commerce.domain.errors import ProviderRefused
from commerce.domain.messaging import OutboxKind, OutboxMessage
from commerce.providers.aws import SesMailer, SnsEvents
from tests.integration.providers.aws_bench import AwsBench


def _message(topic: str) -> OutboxMessage:
    return OutboxMessage(
        id=new_id(EVENT),
        kind=OutboxKind.DOMAIN_EVENT,
        topic=topic,
        key=new_id(ORDER),
        payload={"type": "OrderPlaced", "number": "CC-1", "total": {"amount": 3999, "currency": "GBP"}},
        context=RequestContext("req_1", "customer:cus_1", "00-aa-bb-01"),
        occurred_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
    )


async def test_an_event_reaches_the_queue_with_its_attributes(aws: AwsBench) -> None:
    message = _message(aws.topic)

    await SnsEvents(aws.clients.sns, aws.topic_prefix).publish(message)

    notification = aws.received()
    assert notification is not None
    attributes = {name: entry["Value"] for name, entry in notification["MessageAttributes"].items()}
    assert attributes == {"event_id": message.id, "event_type": "OrderPlaced", "key": message.key}
    assert json.loads(notification["Message"]) == {
        "id": message.id,
        "type": "OrderPlaced",
        "key": message.key,
        "occurred_at": "2026-11-24T12:00:00+00:00",
        "context": {
            "request_id": "req_1",
            "actor": "customer:cus_1",
            "traceparent": "00-aa-bb-01",
            "on_behalf_of": None,
        },
        "data": {"number": "CC-1", "total": {"amount": 3999, "currency": "GBP"}},
    }


async def test_an_event_for_a_topic_that_is_not_there_is_refused(aws: AwsBench) -> None:
    with pytest.raises(ProviderRefused) as caught:
        await SnsEvents(aws.clients.sns, aws.topic_prefix).publish(_message("no-such-topic"))

    assert caught.value.code in {"NotFound", "NotFoundException"}
    assert aws.received(wait=0) is None


async def test_a_mail_is_handed_over_as_text_and_html(aws: AwsBench) -> None:
    reference = new_id(NOTIFICATION)

    message_id = await SesMailer(aws.clients.ses, aws.sender).send(
        to=f"{reference}@example.org",
        subject="Grüße aus dem Laden",
        text=f"Plain {reference}",
        html=f"<p>Rich {reference}</p>",
        reference=reference,
    )

    assert message_id
    sent = aws.mails()
    assert f"{reference}@example.org" in sent
    assert aws.sender in sent
    assert message_id in sent
    assert f"<p>Rich {reference}</p>" in sent


async def test_a_sender_that_is_not_verified_is_refused(aws: AwsBench) -> None:
    reference = new_id(NOTIFICATION)

    with pytest.raises(ProviderRefused):
        await SesMailer(aws.clients.ses, "stranger@elsewhere.example").send(
            to=f"{reference}@example.org", subject="s", text="t", html="h", reference=reference
        )

    assert reference not in aws.mails()
