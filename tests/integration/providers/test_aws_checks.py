from uuid import uuid4

import pytest

from commerce.domain.errors import ProviderUnavailable
from commerce.providers.aws import AwsClients, AwsConfig, ensure_cart_table, missing_resources
from devstack import ports
from tests.integration.providers import aws_bench
from tests.integration.providers.aws_bench import REGION, AwsBench


async def test_what_is_there_is_not_missed(aws: AwsBench) -> None:
    missing = await missing_resources(
        aws.clients,
        cart_table=aws.table,
        topics=[aws.topic_prefix + aws.topic],
        mail_sender=aws.sender,
    )

    assert missing == []


async def test_each_missing_thing_is_named(aws: AwsBench) -> None:
    topic = aws.topic_prefix + "nowhere"

    missing = await missing_resources(
        aws.clients, cart_table="no-carts", topics=[topic], mail_sender="nobody@elsewhere.example"
    )

    assert missing == [
        "the DynamoDB table no-carts does not exist",
        f"the SNS topic {topic} does not exist",
        "SES may not send as nobody@elsewhere.example: neither it nor its domain is a verified identity",
    ]


async def test_a_table_of_another_shape_is_named(aws: AwsBench) -> None:
    name = f"wrong-{uuid4().hex[:8]}"
    aws.clients.dynamodb.client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )

    assert await missing_resources(aws.clients, cart_table=name) == [
        f"the DynamoDB table {name} has other keys than pk and sk",
        f"the DynamoDB table {name} lacks the index open_carts",
        f"the DynamoDB table {name} does not expire by expires_at",
    ]


async def test_making_the_table_again_changes_nothing(aws: AwsBench) -> None:
    ensure_cart_table(aws_bench.client("dynamodb", aws.endpoint), aws.table)

    assert await missing_resources(aws.clients, cart_table=aws.table) == []


async def test_an_aws_that_cannot_be_reached_says_so() -> None:
    clients = AwsClients(AwsConfig(REGION, f"http://{ports.HOST}:{ports.free_port()}"))

    with pytest.raises(ProviderUnavailable) as caught:
        await missing_resources(clients, cart_table="carts")

    clients.close()
    assert caught.value.code == "not_reached"
