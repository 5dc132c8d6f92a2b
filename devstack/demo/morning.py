"""The demo from end to end: open the shop, let everybody buy, deliver, give back, refuse, and balance."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from statistics import median

import httpx

from api.schemas.orders import OrderView
from commerce.cli.out import answers, print_json
from commerce.cli.settings import CommandSettings, load
from commerce.cli.stack import sign_in
from commerce.cli.temporal import open_client
from commerce.cli.workflow_state import ui_link
from commerce.contracts.ids import order_workflow_id
from devstack.credentials import Credentials
from devstack.demo.books import Levels, balance_of_money, balance_of_stock, read_levels
from devstack.demo.cost import OrderCost, costs_of, summary
from devstack.demo.ends import is_delivered, outcome, refunds_open, shipped, unfinished
from devstack.demo.people import People, Pool
from devstack.demo.plan import GivenBack, Plan, Purchase, Way, plan_morning
from devstack.demo.refusing import try_the_impossible
from devstack.demo.report import Answers, Postage, Refusal, Report, Stock, faults_of, tables_of
from devstack.demo.shop import Caller, Refused, Shop
from devstack.demo.shoppers import CURRENCY, Shoppers, Visit
from devstack.demo.stack import a_running_stack
from devstack.demo.steps import Steps
from devstack.demo.world import STANDSTILL, Speed, World
from devstack.errors import StackError
from devstack.home import Home
from devstack.orderbook import read_orderbook

_FAST = Speed(step_seconds=0.3, handover_seconds=0.3)
_STILL_FOR = 60.0
"""Seconds without an order that gets to its end, after which none is waited for."""
_LOOK_EVERY = 1.0
_MAIN_WAREHOUSE = "main"


@dataclass(frozen=True)
class _Found:
    visits: list[Visit]
    orders: dict[str, OrderView]
    refusals: list[Refusal]
    costs: list[OrderCost]
    stock: Stock


@dataclass(frozen=True)
class Stage:
    """What the morning happens on: a running shop, its customers' sign-in, its staff."""

    settings: CommandSettings
    shop: Shop
    world: World
    people: People
    support: Caller
    warehouse: Caller
    steps: Steps
    at_once: int


@dataclass(frozen=True)
class Demo:
    seed: int
    at_once: int
    stay: bool
    as_json: bool

    async def run(self) -> bool:
        """Whether the books balance. Raises StackError when the demo itself cannot go on.

        SIGTERM cancels it, so that the carrier drives on and a stack of the demo's own is stopped.
        """
        if (task := asyncio.current_task()) is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        steps = Steps(quiet=self.as_json)
        plan = plan_morning(read_orderbook(), self.seed)
        async with a_running_stack(steps, stay=self.stay) as endpoints:
            settings = load()
            async with httpx.AsyncClient(base_url=str(endpoints["gateway"]), timeout=30.0) as client:
                with closing(People(_pool_of(settings), self.at_once)) as people:
                    stage = Stage(
                        settings=settings,
                        shop=Shop(client),
                        world=World(client, str(endpoints["stripe_api"]), str(endpoints["carrier_api"])),
                        people=people,
                        support=Caller(token=sign_in("support")),
                        warehouse=Caller(token=sign_in("warehouse")),
                        steps=steps,
                        at_once=self.at_once,
                    )
                    report = await Morning(plan, stage).run()
            self._show(report)
        return report.balanced

    def _show(self, report: Report) -> None:
        if self.as_json:
            print_json(report)
            return
        for part in tables_of(report):
            answers().print(part, soft_wrap=isinstance(part, str))


def _pool_of(settings: CommandSettings) -> Pool:
    return Pool(
        endpoint=settings.aws_endpoint_url or "",
        id=settings.cognito_user_pool_id or "",
        client_id=settings.cognito_client_id or "",
        password=Credentials.load(Home.find().secrets).people_password,
    )


class Morning:
    def __init__(self, plan: Plan, stage: Stage) -> None:
        self._plan = plan
        self._settings = stage.settings
        self._shop = stage.shop
        self._world = stage.world
        self._people = stage.people
        self._support, self._warehouse = stage.support, stage.warehouse
        self._steps = stage.steps
        self._at_once = stage.at_once
        self._skus = sorted(plan.wanted())

    async def run(self) -> Report:
        """Raises StackError when the shop refuses what it should not."""
        try:
            return await self._run()
        except Refused as refused:
            raise StackError(f"the shop refused what it should not have: {refused}") from refused

    async def _run(self) -> Report:
        began, since = time.monotonic(), datetime.now(UTC)
        received = await self._stock_up()
        opening = await read_levels(self._settings, self._skus)
        async with self._world.carrier_at(STANDSTILL):
            visits = await self._everybody_buys()
            await self._world.move_carrier(_FAST)
            orders = await self._await_ends(visits)
            for item in self._plan.given_back:
                orders |= await self._give_back(item, visits, orders)
        refusals = await try_the_impossible(self._shop, self._support, self._plan)
        costs = await self._count(visits, orders, since)
        closing = await read_levels(self._settings, self._skus)
        stock = balance_of_stock(opening, closing, shipped(visits, orders), received)
        report = await self._report(_Found(visits, orders, refusals, costs, stock))
        return replace(report, seconds=time.monotonic() - began, faults=faults_of(report))

    async def _stock_up(self) -> int:
        """Goods that an earlier morning has sold come in again; the pieces received."""
        levels: Levels = await read_levels(self._settings, self._skus)
        wanted = self._plan.wanted()
        missing = {sku: wanted[sku] - levels.available(sku) for sku in self._skus}
        missing = {sku: pieces for sku, pieces in missing.items() if pieces > 0}
        if not missing:
            return 0
        with self._steps.step("goods come in", len(missing)) as advance:
            for sku, pieces in missing.items():
                movement = {
                    "warehouse": _MAIN_WAREHOUSE,
                    "delta": pieces,
                    "reason": "Delivery before opening",
                }
                await self._shop.receive_goods(self._warehouse, sku, dict(movement))
                advance()
        return sum(missing.values())

    async def _everybody_buys(self) -> list[Visit]:
        tokens = await self._sign_everybody_in()
        shoppers = Shoppers(self._shop, self._world, tokens)
        turn = asyncio.Semaphore(self._at_once)
        with self._steps.step("shoppers", len(self._plan.purchases)) as advance:

            async def visit(purchase: Purchase) -> Visit:
                async with turn:
                    found = await shoppers.visit(purchase)
                advance()
                return found

            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(visit(purchase)) for purchase in self._plan.purchases]
            except ExceptionGroup as failures:
                raise failures.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _sign_everybody_in(self) -> dict[str, str]:
        customers = sorted(
            {p.invoice.customer_id or p.invoice.number for p in self._plan.purchases if not p.guest}
        )
        with self._steps.step("customers sign in", len(customers)) as advance:
            return await self._people.tokens(customers, advance)

    async def _await_ends(self, visits: Sequence[Visit]) -> dict[str, OrderView]:
        """All orders, once each is where its way ends, or as they are when none has moved for a while."""
        wanted = {visit.order_id for visit in visits}
        moved = time.monotonic()
        done: set[str] = set()
        with self._steps.step("orders at their end", len(visits)) as advance:
            while True:
                orders = await self._shop.newest_orders(self._support, wanted)
                ended = {v.order_id for v in visits if not unfinished(v, orders.get(v.order_id))}
                for _ in ended - done:
                    advance()
                    moved = time.monotonic()
                done |= ended
                if done == wanted or time.monotonic() - moved > _STILL_FOR:
                    return orders
                await asyncio.sleep(_LOOK_EVERY)

    async def _give_back(
        self, item: GivenBack, visits: Sequence[Visit], orders: dict[str, OrderView]
    ) -> dict[str, OrderView]:
        """Support's partial refund; the order as it is once the provider has decided."""
        [visit] = [visit for visit in visits if visit.purchase.invoice == item.purchase]
        numbers = {line.sku: line.line_no for line in orders[visit.order_id].lines}
        lines = [{"line_no": numbers[sku], "quantity": pieces} for sku, pieces in item.pieces.items()]
        await self._shop.refund(
            self._support,
            visit.order_id,
            {"reason": f"Cancellation {item.cancellation.number}", "lines": lines},
        )
        deadline = time.monotonic() + _STILL_FOR
        while True:
            order = await self._shop.order(self._support, visit.order_id)
            if not refunds_open(order) or time.monotonic() > deadline:
                return {order.id: order}
            await asyncio.sleep(_LOOK_EVERY)

    async def _count(
        self, visits: Sequence[Visit], orders: dict[str, OrderView], since: datetime
    ) -> list[OrderCost]:
        delivered = [orders[v.order_id] for v in visits if is_delivered(orders.get(v.order_id))]
        client = await open_client(self._settings)
        with self._steps.step("histories of delivered orders", len(delivered)) as advance:
            return await costs_of(client, delivered, since, advance)

    async def _report(self, found: _Found) -> Report:
        visits, orders = found.visits, found.orders
        seconds = [visit.answer_seconds for visit in visits]
        shown = next((v for v in visits if v.purchase.way is Way.AUTHENTICATED), visits[0])
        missing = [unfinished(visit, orders.get(visit.order_id)) for visit in visits]
        return Report(
            currency=CURRENCY,
            orders=dict(Counter(outcome(visit, orders.get(visit.order_id)) for visit in visits)),
            unfinished=[what for what in missing if what is not None],
            refusals=found.refusals,
            postage=[
                Postage(v.purchase.invoice.number, v.shipping, v.purchase.invoice.postage)
                for v in visits
                if v.purchase.invoice.postage
            ],
            money=await balance_of_money(self._settings, {visit.order_id for visit in visits}),
            stock=found.stock,
            answers=Answers(round(median(seconds) * 1000), round(max(seconds) * 1000)),
            until_delivered=summary([cost.until_delivered for cost in found.costs]),
            in_all=summary([cost.in_all for cost in found.costs]),
            temporal_ui=ui_link(self._settings, order_workflow_id(shown.order_id)),
        )
