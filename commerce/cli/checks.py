"""What `commerce doctor` looks at: the invariants of our books, and the provider's books beside them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from commerce.cli.families import listed
from commerce.cli.provider_books import ProviderMoney, is_emulated, read_money
from commerce.cli.running import open_database, reading_url
from commerce.cli.settings import CommandSettings
from commerce.cli.temporal import open_client
from commerce.contracts.ids import parse_workflow_id
from commerce.contracts.names import CHECKOUT_WORKFLOW
from commerce.contracts.statuses import FulfilmentState, OrderState, Provider
from commerce.domain.messaging import InvariantResult
from commerce.domain.ports import Database
from commerce.persistence.books import OrderMoney, money_by_order

_OPEN = {OrderState.PENDING, OrderState.CONFIRMED}
_LOOKS = 4
_PAUSE = 1.5
"""Money under way is booked a moment after the provider moved it; a break is one that stays."""

AREA = "provider"
_ENDED_BADLY = "'Failed', 'TimedOut', 'Terminated', 'Canceled'"


async def check_books(
    settings: CommandSettings, tell: Callable[[str], None] = lambda _: None
) -> Sequence[InvariantResult]:
    """All checks, the invariants first. Raises ProviderUnavailable when a side cannot be read."""
    async with open_database(settings) as database:
        tell("invariants")
        async with database.reading() as tx:
            results = list(await tx.invariants.check())
        tell("workflows")
        results.append(await lost_orders(settings, database))
    if is_emulated(settings.stripe_api_base):
        tell("the provider's journal")
        results += await _settled(lambda: _compare(settings))
    return results


async def lost_orders(settings: CommandSettings, database: Database) -> InvariantResult:
    """Open orders whose workflow ended before them: nothing moves them. Raises ProviderUnavailable."""
    client = await open_client(settings)
    query = f"WorkflowType = '{CHECKOUT_WORKFLOW}' AND ExecutionStatus IN ({_ENDED_BADLY})"
    rows: list[dict[str, object]] = []
    for ended in await listed(client, query):
        _, order_id = parse_workflow_id(ended.id)
        async with database.reading() as tx:
            order = await tx.orders.get(order_id)
        if order.order_state in _OPEN and order.fulfilment_state is not FulfilmentState.DELIVERED:
            workflow = ended.status.name.lower() if ended.status else "unknown"
            rows.append({"order_id": order.id, "status": order.status, "workflow": workflow})
    return InvariantResult("open_order_has_workflow", "temporal", not rows, rows)


async def _settled(look: Callable[[], Awaitable[list[InvariantResult]]]) -> list[InvariantResult]:
    results = await look()
    for _ in range(_LOOKS - 1):
        if all(result.ok for result in results):
            break
        await asyncio.sleep(_PAUSE)
        results = await look()
    return results


async def _compare(settings: CommandSettings) -> list[InvariantResult]:
    provider = await read_money(settings.stripe_api_base)
    return compare(await money_by_order(reading_url(settings), Provider.STRIPE), provider)


def compare(ours: Sequence[OrderMoney], provider: ProviderMoney) -> list[InvariantResult]:
    known = {money.order_id for money in ours}
    captured = {(money.order_id, money.currency): money.captured for money in ours}
    refunded = {(money.order_id, money.currency): money.refunded for money in ours}
    strangers: list[dict[str, object]] = [
        {"payment_intent": intent, "order_id": order_id}
        for intent, order_id in provider.orders.items()
        if order_id not in known
    ]
    return [
        _equal("captured_equals_provider", captured, provider.captured),
        _equal("refunded_equals_provider", refunded, provider.refunded),
        InvariantResult("provider_payment_has_order", AREA, not strangers, strangers),
    ]


def _equal(
    name: str, ours: dict[tuple[str, str], int], provider: dict[tuple[str, str], int]
) -> InvariantResult:
    rows: list[dict[str, object]] = [
        {
            "order_id": place[0],
            "currency": place[1],
            "ours": ours.get(place, 0),
            "provider": provider.get(place, 0),
        }
        for place in sorted({*ours, *provider})
        if ours.get(place, 0) != provider.get(place, 0)
    ]
    return InvariantResult(name, AREA, not rows, rows)
