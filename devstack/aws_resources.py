"""What the shop needs at AWS, made on the emulator: cart table, topics with queues, mail identity."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from commerce.providers.aws.tables import ensure_cart_table
from devstack.servers.aws import ACCOUNT_ID, REGION

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

CART_TABLE = "carts"
TOPICS = ("order-placed", "order-delivered")
TOPIC_PREFIX = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:"
MAIL_SENDER = "shop@example.com"

_ATTEMPTS_BEFORE_DEAD = 5


@dataclass(frozen=True)
class Resources:
    queues: dict[str, str]
    """Topic to the URL of the queue that gets its messages."""


def ensure_resources(endpoint: str) -> Resources:
    """Create what is missing; what is there stays as it is."""
    session = boto3.Session(
        region_name=REGION,
        aws_access_key_id="dev",
        aws_secret_access_key="dev",  # noqa: S106 - the emulator takes any
    )
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)
    ensure_cart_table(session.client("dynamodb", endpoint_url=endpoint, config=config), CART_TABLE)
    sqs = session.client("sqs", endpoint_url=endpoint, config=config)
    sns = session.client("sns", endpoint_url=endpoint, config=config)
    queues = {}
    for topic in TOPICS:
        topic_arn = sns.create_topic(Name=topic)["TopicArn"]
        url, queue_arn = _queue(sqs, topic, topic_arn)
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)
        queues[topic] = url
    mail = session.client("sesv2", endpoint_url=endpoint, config=config)
    if MAIL_SENDER not in {i.get("IdentityName") for i in mail.list_email_identities()["EmailIdentities"]}:
        mail.create_email_identity(EmailIdentity=MAIL_SENDER)
    return Resources(queues)


def _queue(sqs: SQSClient, topic: str, topic_arn: str) -> tuple[str, str]:
    """The topic's queue, which hands a message that fails five times to a dead-letter queue."""
    dead_arn = _arn_of(sqs, sqs.create_queue(QueueName=f"{topic}-dead")["QueueUrl"])
    redrive = {"deadLetterTargetArn": dead_arn, "maxReceiveCount": _ATTEMPTS_BEFORE_DEAD}
    url = sqs.create_queue(QueueName=topic)["QueueUrl"]
    arn = _arn_of(sqs, url)
    allow_topic = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    policy = {"Version": "2012-10-17", "Statement": [allow_topic]}
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(redrive), "Policy": json.dumps(policy)}
    )
    return url, arn


def _arn_of(sqs: SQSClient, url: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
