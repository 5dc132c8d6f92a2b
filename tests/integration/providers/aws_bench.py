"""One AWS emulator with a table, a topic that a queue listens to, and a sender, all of their own."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import httpx
from botocore.config import Config

from commerce.providers.aws import AwsClients, AwsConfig, ensure_cart_table

REGION, ACCOUNT = "us-east-1", "123456789012"


@dataclass
class AwsBench:
    endpoint: str
    clients: AwsClients
    table: str
    topic: str
    queue_url: str
    sender: str

    @property
    def topic_prefix(self) -> str:
        return f"arn:aws:sns:{REGION}:{ACCOUNT}:"

    def received(self, wait: int = 5) -> dict[str, Any] | None:
        """The next notification that reached the queue."""
        answer = client("sqs", self.endpoint).receive_message(QueueUrl=self.queue_url, WaitTimeSeconds=wait)
        messages = answer.get("Messages", [])
        return json.loads(messages[0]["Body"]) if messages else None

    def mails(self) -> str:
        """All that the emulator shows of mails sent, as text."""
        if httpx.get(f"{self.endpoint}/moto-api/data.json", timeout=5).is_success:
            return httpx.get(f"{self.endpoint}/moto-api/data.json", timeout=5).text
        return httpx.get(f"{self.endpoint}/_ministack/ses/messages", timeout=5).text


def client(service: str, endpoint: str) -> Any:
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=15)
    return boto3.client(service, endpoint_url=endpoint, region_name=REGION, config=config)


def build(endpoint: str) -> AwsBench:
    tag = uuid4().hex[:8]
    table, topic, sender = f"carts-{tag}", f"placed-{tag}", f"shop-{tag}@example.com"
    ensure_cart_table(client("dynamodb", endpoint), table)
    topic_arn = client("sns", endpoint).create_topic(Name=topic)["TopicArn"]
    sqs = client("sqs", endpoint)
    queue_url = sqs.create_queue(QueueName=topic)["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    client("sns", endpoint).subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)
    client("sesv2", endpoint).create_email_identity(EmailIdentity=sender)
    clients = AwsClients(AwsConfig(REGION, endpoint, read_timeout=15.0, threads=20))
    return AwsBench(endpoint, clients, table, topic, queue_url, sender)
