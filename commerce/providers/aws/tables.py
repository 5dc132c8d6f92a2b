"""The DynamoDB table of carts.

One item per cart: `pk` = `cart#{id}`, `sk` = `cart`, which leaves room for other items of a cart. While a
signed-in person's cart is open it carries `open_owner`, the sparse key of the index `open_carts`, sorted
by the cart's id and so by time.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import CreateTableInputTypeDef

TTL_ATTRIBUTE = "expires_at"
OPEN_CARTS = "open_carts"


def table_definition(name: str) -> CreateTableInputTypeDef:
    """Input of CreateTable; expiry is switched on apart from it."""
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": "S"}
            for attribute in ("pk", "sk", "open_owner", "cart_id")
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": OPEN_CARTS,
                "KeySchema": [
                    {"AttributeName": "open_owner", "KeyType": "HASH"},
                    {"AttributeName": "cart_id", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    }


def ensure_cart_table(dynamodb: DynamoDBClient, name: str) -> None:
    """Creates table and expiry where they are missing; in production Terraform does."""
    with contextlib.suppress(dynamodb.exceptions.ResourceInUseException):
        dynamodb.create_table(**table_definition(name))
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    described = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if described.get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"}:
        dynamodb.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL_ATTRIBUTE},
        )
