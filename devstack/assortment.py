"""The seeded shop's goods, derived from the order book: a product per SKU with its most frequent price."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from devstack.orderbook import BookLine, Invoice

EUROS_PER_POUND = 117
"""In hundredths; the shop's own fixed rate for its prices in euros."""

_CATEGORIES = {
    "christmas": "CHRISTMAS XMAS BAUBLE SANTA REINDEER ADVENT SNOWMAN",
    "lighting": "T-LIGHT T-LIGHTS LIGHT LIGHTS LAMP LANTERN CANDLE CANDLES CANDLESTICK NIGHTLIGHT",
    "kitchen": "MUG CUP TEA CAKE CASES BOWL PLATE JAM LUNCH CUTLERY TEAPOT APRON JUG BAKING KITCHEN TOWELS",
    "bags": "BAG BAGS JUMBO PURSE SHOPPER RUCKSACK",
    "stationery": "CARD CARDS PAPER WRAP RIBBON RIBBONS NOTEBOOK PENCIL PENCILS STICKERS TISSUES BOOK",
    "toys": "GAME DOLL TOY SKITTLES JIGSAW PLAYHOUSE SPACEBOY DOLLY DOMINOES BLOCK PUZZLE",
    "warmth": "WARMER BOTTLE HOTTIE KNITTED WOOLLY SCARF",
    "home": "CLOCK FRAME CABINET DRAWER SIGN HANGER CUSHION DOORMAT MIRROR HOOK BOX BOXES TIN HOLDER",
}
_TAGS = "RED WHITE PINK BLUE BLACK CREAM GREEN IVORY SILVER VINTAGE RETROSPOT POLKADOT PAISLEY HEART WOODEN"
_AS_WRITTEN = re.compile(r"\d|/|^(UK|CD|BBQ|DIY|TV)$")


@dataclass(frozen=True)
class Article:
    """Prices in minor units; `bought` is what the morning's purchases take."""

    product_id: str
    sku: str
    slug: str
    title: str
    category: str
    tags: list[str]
    pounds: int
    euros: int
    bought: int


def articles(purchases: Sequence[Invoice]) -> list[Article]:
    """In the order of their first sale."""
    lines: dict[str, list[BookLine]] = {}
    for invoice in purchases:
        for line in invoice.goods:
            lines.setdefault(line.stock_code, []).append(line)
    return [_article(sku, sold) for sku, sold in lines.items()]


def _article(sku: str, sold: Sequence[BookLine]) -> Article:
    words = sold[0].description.split()
    title = " ".join(_readable(word) for word in words).rstrip(".")
    pounds, _ = Counter(line.unit_price for line in sold).most_common(1)[0]
    return Article(
        product_id=product_id(sku),
        sku=sku,
        slug=f"{re.sub('[^a-z0-9]+', '-', title.lower()).strip('-')}-{sku.lower()}",
        title=title,
        category=_category(words),
        tags=[tag.lower() for tag in _TAGS.split() if tag in words],
        pounds=pounds,
        euros=euros(pounds),
        bought=sum(line.quantity for line in sold),
    )


def product_id(sku: str) -> str:
    """The same in every seeded shop."""
    return f"prod_{hashlib.sha256(sku.encode()).hexdigest()[:26]}"


def euros(pounds: int) -> int:
    """Cents for pence, half up."""
    return (pounds * EUROS_PER_POUND + 50) // 100


def _readable(word: str) -> str:
    if _AS_WRITTEN.search(word):
        return word
    return "-".join(part.capitalize() for part in word.split("-"))


def _category(words: Sequence[str]) -> str:
    for category, keywords in _CATEGORIES.items():
        if not set(keywords.split()).isdisjoint(words):
            return category
    return "gifts"
