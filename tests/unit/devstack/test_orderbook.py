from collections import Counter
from datetime import UTC, datetime

from devstack.assortment import articles
from devstack.orderbook import BookLine, InvoiceKind, purchases, read_orderbook

BOOK = read_orderbook()
BY_NUMBER = {invoice.number: invoice for invoice in BOOK}


def test_the_book_holds_what_its_notice_says() -> None:
    assert sum(len(invoice.lines) for invoice in BOOK) == 1071
    assert Counter(invoice.kind for invoice in BOOK) == {
        InvoiceKind.PURCHASE: 63,
        InvoiceKind.CANCELLATION: 4,
        InvoiceKind.NONSENSE: 1,
    }
    assert Counter(invoice.country for invoice in BOOK) == {"GB": 65, "FR": 1, "AU": 1, "NL": 1}


def test_an_invoice_is_read_as_it_was_keyed_in() -> None:
    first = BOOK[0]
    assert (first.number, first.at, first.customer_id, first.country) == (
        "536365",
        datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
        "17850",
        "GB",
    )
    assert first.lines[0] == BookLine("85123A", "WHITE HANGING HEART T-LIGHT HOLDER", 6, 255)
    assert first.postage == 0


def test_postage_and_discounts_are_no_goods() -> None:
    assert (BY_NUMBER["536370"].postage, sum(BY_NUMBER["536370"].pieces.values())) == (5400, 446)
    assert (BY_NUMBER["536403"].postage, sum(BY_NUMBER["536403"].pieces.values())) == (1500, 96)
    assert BY_NUMBER["C536379"].goods == []


def test_a_cancellation_counts_backwards_and_nonsense_has_no_customer() -> None:
    assert BY_NUMBER["C536506"].pieces == {"22960": -6}
    assert BY_NUMBER["536488"].pieces["22960"] == 8
    assert (BY_NUMBER["536414"].kind, BY_NUMBER["536414"].customer_id) == (InvoiceKind.NONSENSE, None)


def test_a_sku_on_two_lines_of_an_invoice_is_one_sum() -> None:
    lines = [line.quantity for line in BY_NUMBER["536381"].lines if line.stock_code == "71270"]
    assert len(lines) == 2
    assert BY_NUMBER["536381"].pieces["71270"] == sum(lines)


def test_every_sold_sku_is_one_article_with_its_most_frequent_price() -> None:
    goods = {article.sku: article for article in articles(purchases(BOOK))}
    assert len(goods) == len({article.slug for article in goods.values()}) == 615
    assert not {"POST", "D"} & goods.keys()
    assert prices_of("85123A") == {255: 7, 295: 3}
    assert (goods["85123A"].title, goods["85123A"].pounds, goods["85123A"].euros) == (
        "White Hanging Heart T-Light Holder",
        255,
        298,
    )
    assert list(prices_of("35004C").items()) == [(545, 1), (465, 1)]
    assert goods["35004C"].pounds == 545
    assert all(article.pounds > 0 for article in goods.values())


def prices_of(sku: str) -> Counter[int]:
    return Counter(
        line.unit_price for invoice in purchases(BOOK) for line in invoice.goods if line.stock_code == sku
    )
