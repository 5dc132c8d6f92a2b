"""The port `CartStore` on DynamoDB: optimistic versions by conditional writes, expiry by use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from commerce.domain.carts import Cart, CartItem
from commerce.domain.errors import CartAlreadyOrdered, NotFound, ProviderRefused, StaleVersion
from commerce.providers.aws.cart_items import from_item, key_of, seconds, to_item, to_lines
from commerce.providers.aws.clients import Service
from commerce.providers.aws.failures import CONDITION_FAILED
from commerce.providers.aws.tables import OPEN_CARTS, TTL_ATTRIBUTE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

_RENEW_AFTER = timedelta(days=1)
"""A read renews a cart's life at most this often, so that looking costs no write."""


def _now() -> datetime:
    return datetime.now(UTC)


class DynamoCarts:
    """Expired carts are gone from the moment they expire, whether or not DynamoDB has swept them."""

    def __init__(
        self,
        dynamodb: Service[DynamoDBClient],
        table: str,
        lifetime: timedelta,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._service = dynamodb
        self._dynamodb = dynamodb.client
        self._table = table
        self._lifetime = lifetime
        self._clock = clock

    async def create(self, cart: Cart) -> Cart:
        """A repeat returns the cart that is there. Its life starts now, whatever `expires_at` says."""
        fresh = replace(cart, expires_at=self._expiry())
        try:
            await self._service.write(
                self._dynamodb.put_item,
                TableName=self._table,
                Item=to_item(fresh),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ProviderRefused as error:
            if error.code != CONDITION_FAILED:
                raise
            return await self.get(cart.id)
        return fresh

    async def get(self, cart_id: str) -> Cart:
        cart = await self._read(cart_id)
        if cart.expires_at - self._clock() < self._lifetime - _RENEW_AFTER:
            return await self._renew(cart)
        return cart

    async def current_of(self, customer_id: str) -> Cart | None:
        """By an index, so a cart made a moment ago may be missing yet; the cart itself is read afresh."""
        query: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": OPEN_CARTS,
            "KeyConditionExpression": "open_owner = :owner",
            "ExpressionAttributeValues": {":owner": {"S": customer_id}},
            "ScanIndexForward": False,
            "Limit": 5,
        }
        while True:
            page = await self._service.read(self._dynamodb.query, **query)
            for item in page["Items"]:
                cart = await self._open(item["cart_id"]["S"])
                if cart is not None:
                    return cart
            if not page.get("LastEvaluatedKey"):
                return None
            query["ExclusiveStartKey"] = {**page["LastEvaluatedKey"]}

    async def put_item(self, cart: Cart, item: CartItem) -> Cart:
        """A SKU keeps its place in the cart. Raises NotFound, StaleVersion, CartAlreadyOrdered."""
        if any(line.sku == item.sku for line in cart.items):
            lines = [item if line.sku == item.sku else line for line in cart.items]
        else:
            lines = [*cart.items, item]
        return await self._write(cart, lines)

    async def remove_item(self, cart: Cart, sku: str) -> Cart:
        """Raises NotFound, StaleVersion, CartAlreadyOrdered."""
        return await self._write(cart, [line for line in cart.items if line.sku != sku])

    async def close(self, cart_id: str, order_id: str) -> None:
        try:
            await self._service.write(
                self._dynamodb.update_item,
                TableName=self._table,
                Key=key_of(cart_id),
                UpdateExpression="SET order_id = :order, version = version + :one REMOVE open_owner",
                ConditionExpression="attribute_exists(pk) AND attribute_not_exists(order_id)",
                ExpressionAttributeValues={":order": {"S": order_id}, ":one": {"N": "1"}},
            )
        except ProviderRefused as error:
            if error.code != CONDITION_FAILED:
                raise

    async def _write(self, cart: Cart, lines: Sequence[CartItem]) -> Cart:
        changed = replace(cart, items=list(lines), version=cart.version + 1, expires_at=self._expiry())
        try:
            await self._service.write(
                self._dynamodb.update_item,
                TableName=self._table,
                Key=key_of(cart.id),
                UpdateExpression="SET #items = :items, version = :next, #ttl = :expiry",
                ConditionExpression="version = :read AND attribute_not_exists(order_id) AND #ttl > :now",
                ExpressionAttributeNames={"#items": "items", "#ttl": TTL_ATTRIBUTE},
                ExpressionAttributeValues={
                    ":items": to_lines(lines),
                    ":next": {"N": str(changed.version)},
                    ":expiry": seconds(changed.expires_at),
                    ":read": {"N": str(cart.version)},
                    ":now": seconds(self._clock()),
                },
            )
        except ProviderRefused as error:
            if error.code != CONDITION_FAILED:
                raise
            await self._explain(cart)
        return changed

    async def _explain(self, cart: Cart) -> None:
        stored = await self._read(cart.id)
        if stored.order_id is not None:
            raise CartAlreadyOrdered(cart.id, stored.order_id)
        raise StaleVersion("cart", cart.id, cart.version)

    async def _renew(self, cart: Cart) -> Cart:
        """Leaves the version alone: nobody's write is in conflict with a look."""
        expiry = self._expiry()
        try:
            await self._service.write(
                self._dynamodb.update_item,
                TableName=self._table,
                Key=key_of(cart.id),
                UpdateExpression="SET #ttl = :expiry",
                ConditionExpression="attribute_exists(pk) AND #ttl > :now",
                ExpressionAttributeNames={"#ttl": TTL_ATTRIBUTE},
                ExpressionAttributeValues={":expiry": seconds(expiry), ":now": seconds(self._clock())},
            )
        except ProviderRefused as error:
            if error.code != CONDITION_FAILED:
                raise
            raise NotFound("cart", cart.id) from error
        return replace(cart, expires_at=expiry)

    async def _open(self, cart_id: str) -> Cart | None:
        try:
            cart = await self.get(cart_id)
        except NotFound:
            return None
        return cart if cart.order_id is None else None

    async def _read(self, cart_id: str) -> Cart:
        answer = await self._service.read(
            self._dynamodb.get_item, TableName=self._table, Key=key_of(cart_id), ConsistentRead=True
        )
        item = answer.get("Item")
        cart = from_item(item) if item else None
        if cart is None or cart.expires_at <= self._clock():
            raise NotFound("cart", cart_id)
        return cart

    def _expiry(self) -> datetime:
        return (self._clock() + self._lifetime).replace(microsecond=0)
