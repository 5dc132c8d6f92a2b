"""The morning's books from every side: provider, payments, ledger, stock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commerce.cli.provider_books import read_money
from commerce.cli.running import open_database, reading_url
from commerce.cli.settings import CommandSettings
from commerce.contracts.statuses import Provider
from commerce.domain.stock import StockLevel
from commerce.persistence.books import money_by_order
from devstack.demo.report import Amounts, Stock

_LOOKS = 10


@dataclass(frozen=True)
class Levels:
    """Pieces by SKU."""

    levels: Mapping[str, StockLevel]

    def on_hand(self, sku: str) -> int:
        return self.levels[sku].on_hand if sku in self.levels else 0

    def available(self, sku: str) -> int:
        return self.levels[sku].available if sku in self.levels else 0

    def allocated(self, sku: str) -> int:
        return self.levels[sku].allocated if sku in self.levels else 0


async def read_levels(settings: CommandSettings, skus: Sequence[str]) -> Levels:
    async with open_database(settings) as database, database.reading() as tx:
        return Levels(await tx.stock.levels(skus))


def balance_of_stock(opening: Levels, closing: Levels, shipped: Mapping[str, int], received: int) -> Stock:
    """A SKU is off when its pieces are not opening less shipped, or when more are promised than before."""
    skus = sorted(opening.levels)
    off = [
        sku
        for sku in skus
        if opening.on_hand(sku) - shipped.get(sku, 0) != closing.on_hand(sku)
        or opening.allocated(sku) != closing.allocated(sku)
    ]
    return Stock(
        received=received,
        opening=sum(opening.on_hand(sku) for sku in skus),
        shipped=sum(shipped.values()),
        on_hand=sum(closing.on_hand(sku) for sku in skus),
        off=off,
    )


async def balance_of_money(settings: CommandSettings, order_ids: set[str]) -> list[Amounts]:
    """Of these orders alone, read until all sides agree: the provider's news may still be on their way."""
    amounts = await _read(settings, order_ids)
    for _ in range(_LOOKS):
        if all(amount.equal for amount in amounts):
            break
        await asyncio.sleep(0.5)
        amounts = await _read(settings, order_ids)
    return amounts


async def _read(settings: CommandSettings, order_ids: set[str]) -> list[Amounts]:
    theirs = await read_money(settings.stripe_api_base)
    ours = [
        money
        for money in await money_by_order(reading_url(settings), Provider.STRIPE)
        if money.order_id in order_ids
    ]
    captured, refunded = (
        sum(amount for (order_id, _), amount in sums.items() if order_id in order_ids)
        for sums in (theirs.captured, theirs.refunded)
    )
    taken = Amounts("captured", captured, sum(m.captured for m in ours), sum(m.ledger_captured for m in ours))
    back = Amounts("refunded", refunded, sum(m.refunded for m in ours), sum(m.ledger_refunded for m in ours))
    return [taken, back, taken.less("kept", back)]
