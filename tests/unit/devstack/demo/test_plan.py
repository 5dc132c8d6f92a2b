"""The morning as planned from the real order book."""

from collections import Counter

import pytest

from devstack.demo.plan import DECLINED_CARDS, Plan, Way, plan_morning
from devstack.orderbook import read_orderbook


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_morning(read_orderbook(), seed=7)


def test_every_purchase_of_the_book_has_one_way(plan: Plan) -> None:
    ways = Counter(purchase.way for purchase in plan.purchases)
    assert ways == {Way.DELIVERED: 53, Way.CANCELLED: 5, Way.DECLINED: 3, Way.AUTHENTICATED: 2}
    assert len({purchase.invoice.number for purchase in plan.purchases}) == 63


def test_every_seventh_shopper_is_a_guest(plan: Plan) -> None:
    guests = [place for place, purchase in enumerate(plan.purchases, start=1) if purchase.guest]
    assert guests == [7, 14, 21, 28, 35, 42, 49, 56, 63]


def test_each_way_has_its_card(plan: Plan) -> None:
    cards = {way: sorted(purchase.card for purchase in plan.purchases if purchase.way is way) for way in Way}
    assert cards[Way.DECLINED] == sorted(DECLINED_CARDS)
    assert set(cards[Way.AUTHENTICATED]) == {"pm_card_authenticationRequired"}
    assert set(cards[Way.DELIVERED]) == set(cards[Way.CANCELLED]) == {"pm_card_visa"}


def test_one_cancellation_of_the_book_gives_pieces_of_a_purchase_back(plan: Plan) -> None:
    [item] = plan.given_back
    assert (item.cancellation.number, item.purchase.number) == ("C536506", "536488")
    assert item.pieces == {"22960": 6}


def test_the_other_cancellations_have_no_purchase_and_one_line_makes_no_sense(plan: Plan) -> None:
    assert [invoice.number for invoice in plan.without_purchase] == ["C536379", "C536383", "C536391"]
    assert [invoice.number for invoice in plan.nonsense] == ["536414"]


def test_the_same_seed_makes_the_same_morning_and_another_one_another(plan: Plan) -> None:
    assert plan_morning(read_orderbook(), seed=7) == plan
    assert plan_morning(read_orderbook(), seed=8).purchases != plan.purchases


@pytest.mark.parametrize("seed", range(40))
def test_what_is_given_back_or_sent_abroad_with_postage_is_delivered_for_every_seed(seed: int) -> None:
    purchases = plan_morning(read_orderbook(), seed).purchases
    needed = {"536488", "536370", "536403"}
    assert {p.invoice.number for p in purchases if p.invoice.number in needed and p.is_delivered} == needed


def test_carts_together_want_the_pieces_of_the_book(plan: Plan) -> None:
    wanted = plan.wanted()
    assert len(wanted) == 615
    assert wanted["22960"] == sum(p.invoice.pieces.get("22960", 0) for p in plan.purchases)
    assert "POST" not in wanted
