import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from commerce.contracts.ids import CART, ORDER, new_id
from commerce.domain.carts import Cart, CartItem
from commerce.domain.errors import CartAlreadyOrdered, NotFound, StaleVersion
from commerce.providers.aws import DynamoCarts
from tests.integration.providers.aws_bench import AwsBench

MONTH = timedelta(days=30)
START = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def carts(aws: AwsBench, clock: Clock) -> DynamoCarts:
    return _store(aws, clock)


def _store(bench: AwsBench, clock: Clock) -> DynamoCarts:
    return DynamoCarts(bench.clients.dynamodb, bench.table, MONTH, clock)


def _new(customer_id: str | None = None) -> Cart:
    guest_key = None if customer_id else "ab" * 32
    return Cart(new_id(CART), "GBP", START, customer_id=customer_id, guest_key=guest_key)


async def test_a_cart_is_read_as_it_was_made(carts: DynamoCarts) -> None:
    made = await carts.create(_new())

    assert made.expires_at == START + MONTH
    assert await carts.get(made.id) == made


async def test_making_a_cart_twice_returns_the_first(carts: DynamoCarts) -> None:
    made = await carts.create(_new())
    filled = await carts.put_item(made, CartItem("A", 2))

    assert await carts.create(made) == filled


async def test_items_keep_their_place_and_quantities_are_set(carts: DynamoCarts) -> None:
    cart = await carts.create(_new())
    for item in (CartItem("A", 1), CartItem("B", 5), CartItem("A", 7)):
        cart = await carts.put_item(cart, item)

    assert cart.items == [CartItem("A", 7), CartItem("B", 5)]
    assert cart.version == 4
    cart = await carts.remove_item(cart, "A")
    assert (cart.items, cart.version) == ([CartItem("B", 5)], 5)
    assert await carts.get(cart.id) == cart


async def test_a_write_on_an_old_version_is_refused_and_changes_nothing(carts: DynamoCarts) -> None:
    read = await carts.create(_new())
    kept = await carts.put_item(read, CartItem("A", 1))

    with pytest.raises(StaleVersion):
        await carts.put_item(read, CartItem("B", 1))
    with pytest.raises(StaleVersion):
        await carts.remove_item(read, "A")

    assert await carts.get(read.id) == kept


async def test_an_unknown_cart_is_not_found(carts: DynamoCarts) -> None:
    unknown = _new()

    with pytest.raises(NotFound):
        await carts.get(unknown.id)
    with pytest.raises(NotFound):
        await carts.put_item(unknown, CartItem("A", 1))


async def test_an_expired_cart_is_gone_before_it_is_swept(carts: DynamoCarts, clock: Clock) -> None:
    cart = await carts.create(_new("cus_expired"))
    clock.now = START + MONTH

    with pytest.raises(NotFound):
        await carts.get(cart.id)
    with pytest.raises(NotFound):
        await carts.put_item(cart, CartItem("A", 1))
    assert await carts.current_of("cus_expired") is None


async def test_use_renews_a_cart(carts: DynamoCarts, clock: Clock) -> None:
    cart = await carts.create(_new())
    clock.now = START + timedelta(days=20)
    cart = await carts.put_item(cart, CartItem("A", 1))
    clock.now = START + timedelta(days=40)
    read = await carts.get(cart.id)
    clock.now = START + timedelta(days=60)

    assert read.version == cart.version
    assert (await carts.get(cart.id)).expires_at == START + timedelta(days=90)


async def test_expiry_is_kept_in_seconds_where_dynamodb_looks_for_it(
    aws: AwsBench, carts: DynamoCarts
) -> None:
    cart = await carts.create(_new())
    client = aws.clients.dynamodb.client

    stored = client.get_item(TableName=aws.table, Key={"pk": {"S": f"cart#{cart.id}"}, "sk": {"S": "cart"}})
    ttl = client.describe_time_to_live(TableName=aws.table)["TimeToLiveDescription"]

    assert stored["Item"]["expires_at"] == {"N": str(int((START + MONTH).timestamp()))}
    assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "expires_at")


async def test_the_newest_open_cart_is_the_current_one(carts: DynamoCarts) -> None:
    customer = f"cus_{new_id(CART)}"
    first, second = await carts.create(_new(customer)), await carts.create(_new(customer))
    await carts.create(_new("cus_other"))

    assert await carts.current_of(customer) == second
    await carts.close(second.id, new_id(ORDER))
    assert await carts.current_of(customer) == first
    await carts.close(first.id, new_id(ORDER))
    assert await carts.current_of(customer) is None


async def test_the_current_cart_is_found_behind_many_expired_ones(carts: DynamoCarts, clock: Clock) -> None:
    customer = f"cus_{new_id(CART)}"
    oldest = await carts.create(_new(customer))
    for _ in range(6):
        await carts.create(_new(customer))
    clock.now = START + timedelta(days=29)
    kept = await carts.put_item(oldest, CartItem("A", 1))
    clock.now = START + timedelta(days=31)

    current = await carts.current_of(customer)

    assert current is not None
    assert (current.id, current.items) == (kept.id, kept.items)


async def test_a_closed_cart_keeps_its_first_order_and_takes_no_items(carts: DynamoCarts) -> None:
    cart = await carts.create(_new())
    order_id = new_id(ORDER)
    await carts.close(cart.id, order_id)
    await carts.close(cart.id, new_id(ORDER))

    closed = await carts.get(cart.id)

    assert (closed.order_id, closed.version) == (order_id, 2)
    for read in (cart, closed):
        with pytest.raises(CartAlreadyOrdered):
            await carts.put_item(read, CartItem("A", 1))
    assert (await carts.get(cart.id)).items == []


async def test_closing_a_vanished_cart_is_fine(carts: DynamoCarts) -> None:
    unknown = _new()

    await carts.close(unknown.id, new_id(ORDER))

    with pytest.raises(NotFound):
        await carts.get(unknown.id)


async def test_of_twenty_writers_on_one_version_one_wins(ministack: AwsBench, clock: Clock) -> None:
    carts = _store(ministack, clock)
    cart = await carts.create(_new())

    outcomes = await asyncio.gather(
        *(carts.put_item(cart, CartItem(f"SKU{n}", n + 1)) for n in range(20)), return_exceptions=True
    )

    winners = [outcome for outcome in outcomes if isinstance(outcome, Cart)]
    assert len(winners) == 1
    assert sum(isinstance(outcome, StaleVersion) for outcome in outcomes) == 19
    assert await carts.get(cart.id) == winners[0]
