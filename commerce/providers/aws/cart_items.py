"""Carts as DynamoDB items and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from commerce.domain.carts import Cart, CartItem
from commerce.providers.aws.tables import TTL_ATTRIBUTE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


def key_of(cart_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"pk": {"S": f"cart#{cart_id}"}, "sk": {"S": "cart"}}


def to_item(cart: Cart) -> dict[str, AttributeValueTypeDef]:
    item: dict[str, AttributeValueTypeDef] = {
        **key_of(cart.id),
        "cart_id": {"S": cart.id},
        "currency": {"S": cart.currency},
        "items": to_lines(cart.items),
        "version": {"N": str(cart.version)},
        TTL_ATTRIBUTE: seconds(cart.expires_at),
    }
    if cart.customer_id is not None:
        item["customer_id"] = {"S": cart.customer_id}
        item["open_owner"] = {"S": cart.customer_id}
    if cart.guest_key is not None:
        item["guest_key"] = {"S": cart.guest_key}
    return item


def from_item(item: dict[str, AttributeValueTypeDef]) -> Cart:
    return Cart(
        id=item["cart_id"]["S"],
        currency=item["currency"]["S"],
        expires_at=datetime.fromtimestamp(int(item[TTL_ATTRIBUTE]["N"]), UTC),
        customer_id=_text(item, "customer_id"),
        guest_key=_text(item, "guest_key"),
        items=[
            CartItem(line["M"]["sku"]["S"], int(line["M"]["quantity"]["N"])) for line in item["items"]["L"]
        ],
        order_id=_text(item, "order_id"),
        version=int(item["version"]["N"]),
    )


def to_lines(items: Sequence[CartItem]) -> AttributeValueTypeDef:
    return {"L": [{"M": {"sku": {"S": line.sku}, "quantity": {"N": str(line.quantity)}}} for line in items]}


def seconds(moment: datetime) -> AttributeValueTypeDef:
    """DynamoDB expires by whole seconds since 1970."""
    return {"N": str(int(moment.timestamp()))}


def _text(item: dict[str, AttributeValueTypeDef], name: str) -> str | None:
    return item[name]["S"] if name in item else None
