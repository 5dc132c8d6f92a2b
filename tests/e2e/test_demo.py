"""The demo's morning on the running shop, with a handful of shoppers: every way once."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import httpx
import pytest
from support.shop import PASSWORD, Shop

from commerce.cli.settings import CommandSettings
from devstack.demo import shop as desk
from devstack.demo.morning import Morning, Stage
from devstack.demo.people import People, Pool
from devstack.demo.plan import (
    ASKED_CARD,
    DECLINED_CARDS,
    GOOD_CARD,
    GivenBack,
    Plan,
    Purchase,
    Way,
    plan_morning,
)
from devstack.demo.report import Refusal
from devstack.demo.steps import Steps
from devstack.demo.world import World
from devstack.errors import StackError
from devstack.orderbook import read_orderbook


@pytest.fixture
def stage(shop: Shop) -> Iterator[Stage]:
    settings = CommandSettings(
        _env_file=None,
        **{name.removeprefix("COMMERCE_").lower(): value for name, value in shop.environment.items()},
    )
    pool_id = shop.environment["COMMERCE_COGNITO_ISSUER"].rpartition("/")[2]
    client_id = shop.environment["COMMERCE_COGNITO_CLIENT_ID"]
    with closing(People(Pool(shop.aws_endpoint, pool_id, client_id, PASSWORD), at_once=2)) as people:
        yield Stage(
            settings=settings,
            shop=desk.Shop(shop.http),
            world=World(shop.http, shop.stripe.url, shop.carrier.url),
            people=people,
            support=desk.Caller(token=shop.tokens["support"]),
            warehouse=desk.Caller(token=shop.tokens["warehouse"]),
            steps=Steps(quiet=True),
            at_once=2,
        )


@pytest.fixture
def plan() -> Plan:
    """A few small invoices of the book, each going another way, and all lines that are refused."""
    book = {invoice.number: invoice for invoice in read_orderbook()}
    whole = plan_morning(list(book.values()), seed=1)
    ways = [
        ("536366", Way.DELIVERED, GOOD_CARD, True),
        ("536369", Way.CANCELLED, GOOD_CARD, False),
        ("536371", Way.DECLINED, DECLINED_CARDS[1], False),
        ("536374", Way.AUTHENTICATED, ASKED_CARD, True),
        ("536403", Way.DELIVERED, GOOD_CARD, False),
    ]
    return replace(
        whole,
        purchases=[Purchase(book[number], way, card, guest) for number, way, card, guest in ways],
        given_back=[GivenBack(book["C536506"], book["536366"], {"22633": 2})],
    )


async def test_every_way_ends_where_it_should_and_the_books_balance(stage: Stage, plan: Plan) -> None:
    report = await Morning(plan, stage).run()
    assert report.faults == []
    assert report.orders == {"delivered": 3, "cancelled by the shopper": 1, "declined by the card": 1}
    assert [(item.invoice, item.answer) for item in report.refusals] == [
        ("C536379", "404 not-found"),
        ("C536383", "404 not-found"),
        ("C536391", "404 not-found"),
        ("536414", "409 price-changed"),
    ]
    captured, refunded, kept = report.money
    assert captured.equal
    assert refunded.provider >= 2 * 185
    assert kept.provider == captured.ledger - refunded.payments
    assert [(item.invoice, item.charged) for item in report.postage] == [("536403", 1500)]
    assert report.stock.shipped == 12 + 32 + 96
    assert report.until_delivered.orders == 3
    assert 0 < report.until_delivered.most_events <= report.in_all.most_events


async def test_the_carrier_drives_on_as_before(shop: Shop, stage: Stage, plan: Plan) -> None:
    await shop.carrier_speed(0.2, 0.25)
    await Morning(replace(plan, purchases=plan.purchases[:1], given_back=[]), stage).run()
    async with httpx.AsyncClient() as client:
        speed = (await client.get(f"{shop.carrier.url}/_emulator/speed")).json()
    assert speed == {"step_seconds": 0.2, "handover_seconds": 0.25}


async def test_a_refusal_that_was_not_planned_stops_the_demo_with_its_reason(
    stage: Stage, plan: Plan
) -> None:
    [first, *_] = plan.purchases
    broken = replace(plan, purchases=[replace(first, card=DECLINED_CARDS[0], way=Way.DELIVERED)])
    with pytest.raises(StackError, match=r"should not have: .* \(402 payment-declined\)"):
        await Morning(broken, stage).run()


async def test_what_the_gateway_does_not_refuse_is_a_fault(stage: Stage, plan: Plan) -> None:
    [nonsense] = plan.nonsense
    priced = replace(nonsense, lines=[replace(nonsense.lines[0], quantity=1, unit_price=425)])
    report = await Morning(
        replace(plan, purchases=plan.purchases[:1], given_back=[], nonsense=[priced]), stage
    ).run()
    assert report.refusals[-1] == Refusal("536414", report.refusals[-1].reason, None)
    assert report.faults == ["536414 was not refused"]
