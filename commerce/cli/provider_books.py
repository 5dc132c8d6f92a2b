"""The provider's own journal, where the provider is our emulator: what it says was taken and given back."""

from dataclasses import dataclass, field

import httpx
from pydantic import BaseModel

from commerce.domain.errors import ProviderUnavailable

_REAL_STRIPE = "https://api.stripe.com"
_TIMEOUT = 30.0


@dataclass(frozen=True)
class ProviderMoney:
    """Minor units, per order and upper-case currency."""

    captured: dict[tuple[str, str], int] = field(default_factory=dict)
    refunded: dict[tuple[str, str], int] = field(default_factory=dict)
    orders: dict[str, str | None] = field(default_factory=dict)
    """Payment intent to the order that its metadata names."""

    def totals(self) -> "ProviderTotals":
        """By lower-case currency, as the emulator's own totals are."""
        return ProviderTotals(captured=_by_currency(self.captured), refunded=_by_currency(self.refunded))


class ProviderTotals(BaseModel):
    captured: dict[str, int]
    refunded: dict[str, int]


class Entry(BaseModel):
    kind: str
    order_id: str | None = None
    amount: int = 0
    currency: str = ""
    payment_intent: str | None = None
    refund: str | None = None


class Journal(BaseModel):
    data: list[Entry]


def is_emulated(api_base: str) -> bool:
    return api_base.rstrip("/") != _REAL_STRIPE


async def read_money(api_base: str) -> ProviderMoney:
    """Raises ProviderUnavailable, also when the emulator's journal and its totals disagree for good."""
    async with httpx.AsyncClient(base_url=api_base, timeout=_TIMEOUT) as client:
        try:
            for _ in range(3):
                money = money_of(Journal.model_validate_json((await _get(client, "journal")).content))
                totals = ProviderTotals.model_validate_json((await _get(client, "totals")).content)
                if money.totals() == totals:
                    return money
        except (httpx.HTTPError, ValueError) as failure:
            raise ProviderUnavailable(f"the Stripe emulator at {api_base}: {failure}") from failure
    raise ProviderUnavailable(f"the Stripe emulator at {api_base} contradicts its own journal")


async def _get(client: httpx.AsyncClient, name: str) -> httpx.Response:
    response = await client.get(f"/_emulator/{name}")
    return response.raise_for_status()


def money_of(journal: "Journal") -> ProviderMoney:
    """A refund counts once, while it stands: one that failed later counts no more."""
    money = ProviderMoney()
    refunds: dict[str, Entry] = {}
    for entry in journal.data:
        if entry.payment_intent:
            money.orders[entry.payment_intent] = entry.order_id
        if entry.kind == "payment_intent.captured":
            _add(money.captured, entry)
        elif entry.kind.startswith("refund.") and entry.refund:
            refunds[entry.refund] = entry
    for last in refunds.values():
        if last.kind == "refund.succeeded":
            _add(money.refunded, last)
    return money


def _add(sums: dict[tuple[str, str], int], entry: Entry) -> None:
    place = (entry.order_id or "", entry.currency.upper())
    sums[place] = sums.get(place, 0) + entry.amount


def _by_currency(sums: dict[tuple[str, str], int]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for (_, currency), amount in sums.items():
        totals[currency.lower()] = totals.get(currency.lower(), 0) + amount
    return totals
