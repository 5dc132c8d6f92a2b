"""What must exist at AWS before a process serves: it starts with this list empty, or says what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from commerce.domain.errors import ProviderRefused
from commerce.providers.aws.clients import AwsClients
from commerce.providers.aws.failures import NOT_FOUND
from commerce.providers.aws.tables import OPEN_CARTS, TTL_ATTRIBUTE, table_definition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef


async def missing_resources(
    aws: AwsClients,
    *,
    cart_table: str | None = None,
    topics: Iterable[str] = (),
    mail_sender: str | None = None,
) -> list[str]:
    """One plain sentence for each thing that is missing or wrong; `topics` are ARNs.

    Raises ProviderUnavailable when AWS cannot be asked, ProviderRefused when we may not.
    """
    faults: list[str] = []
    if cart_table is not None:
        faults += await _table_faults(aws, cart_table)
    for topic in topics:
        faults += await _topic_faults(aws, topic)
    if mail_sender is not None:
        faults += await _sender_faults(aws, mail_sender)
    return faults


async def _table_faults(aws: AwsClients, name: str) -> list[str]:
    client = aws.dynamodb.client
    try:
        described = await aws.dynamodb.read(client.describe_table, TableName=name)
        expiry = await aws.dynamodb.read(client.describe_time_to_live, TableName=name)
    except ProviderRefused as error:
        if error.code in NOT_FOUND:
            return [f"the DynamoDB table {name} does not exist"]
        raise
    faults = _shape_faults(name, described["Table"])
    ttl = expiry["TimeToLiveDescription"]
    switched_on = ttl.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
    if not switched_on or ttl.get("AttributeName") != TTL_ATTRIBUTE:
        faults.append(f"the DynamoDB table {name} does not expire by {TTL_ATTRIBUTE}")
    return faults


def _shape_faults(name: str, table: TableDescriptionTypeDef) -> list[str]:
    wanted = table_definition(name)
    faults = []
    if [*table.get("KeySchema", [])] != [*wanted["KeySchema"]]:
        faults.append(f"the DynamoDB table {name} has other keys than pk and sk")
    if OPEN_CARTS not in {index.get("IndexName") for index in table.get("GlobalSecondaryIndexes", [])}:
        faults.append(f"the DynamoDB table {name} lacks the index {OPEN_CARTS}")
    return faults


async def _topic_faults(aws: AwsClients, arn: str) -> list[str]:
    try:
        await aws.sns.read(aws.sns.client.get_topic_attributes, TopicArn=arn)
    except ProviderRefused as error:
        if error.code in NOT_FOUND:
            return [f"the SNS topic {arn} does not exist"]
        raise
    return []


async def _sender_faults(aws: AwsClients, sender: str) -> list[str]:
    """The address itself or its domain must be a verified identity."""
    for identity in (sender, sender.rpartition("@")[2]):
        try:
            found = await aws.ses.read(aws.ses.client.get_email_identity, EmailIdentity=identity)
        except ProviderRefused as error:
            if error.code not in NOT_FOUND:
                raise
        else:
            if found.get("VerifiedForSendingStatus") or found.get("VerificationStatus") == "SUCCESS":
                return []
    return [f"SES may not send as {sender}: neither it nor its domain is a verified identity"]
