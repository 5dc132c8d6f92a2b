"""The shop behind its gateway: workers, relays and providers on real servers, for tests of workflows.

Every order has goods of its own, so that stock is counted exactly. A workflow started through `skipping` has
a clock of its own that jumps from timer to timer while no activity runs; the database's clock never jumps.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import httpx
import psycopg
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

import worker
from activities.orders import OrderActivities
from commerce.contracts import ids
from commerce.contracts.checkout import (
    CancelAnswer,
    CancelCommand,
    CancelOrder,
    CheckoutAnswer,
    CheckoutPolicy,
)
from commerce.contracts.context import RequestContext
from commerce.contracts.maintenance import SweepInput, SweepReport
from commerce.contracts.names import SWEEP_WORKFLOW
from commerce.contracts.queues import TaskQueue
from commerce.domain.carts import CartItem
from commerce.domain.catalogue import Price, PricedSku, Product, Variant
from commerce.domain.messaging import InboxEvent
from commerce.domain.orders import Address, NewOrder, NewRefund, Order, OrderView, Refund, Shipment
from commerce.domain.pricing import price_cart
from commerce.domain.stock import StockLevel
from commerce.runtime.workflow_gateway import TemporalWorkflows
from devstack.processes import Child
from devstack.servers.emulators import Emulator
from devstack.testing import Database
from support.faults import PlannedFaults
from support.gates import Gates
from support.waiting import until

T = TypeVar("T")

CONTEXT = RequestContext("req_test", "customer:c1")
ADDRESS = Address("Ada Lovelace", "12 St James's Square", "London", "SW1Y 4JH", "GB")
ON_HAND = 10
PRICE = 1000
QUICK = CheckoutPolicy(hold_seconds=600, attention_after_seconds=1)

_numbers = count(1)


@dataclass(frozen=True)
class InboxRow:
    event_id: str
    kind: str
    outcome: str | None
    told: bool
    seen: bool
    attempts: int


@dataclass
class BackOffice:
    database: Database
    adapters: worker.Adapters
    client: Client
    env: WorkflowEnvironment
    stripe: Emulator
    carrier: Emulator
    http: httpx.AsyncClient
    planned: PlannedFaults
    gates: Gates
    children: dict[str, Child]

    @property
    def skipping(self) -> Client:
        """Workflows started through it, and their children, skip time."""
        return self.env.client

    async def goods(self, on_hand: int = ON_HAND) -> str:
        """A SKU of its own at 10.00 GBP."""
        sku = f"GOODS-{next(_numbers)}"
        product = Product(
            id=f"prod_{sku.lower()}",
            slug=sku.lower(),
            title=sku.title(),
            variants=[Variant(sku, [Price("GBP", PRICE)])],
        )
        async with self.adapters.database.transaction(CONTEXT) as tx:
            await tx.catalogue.create(product)
            await tx.stock.move(sku, "main", on_hand, "opening stock", f"opening:{sku}")
        return sku

    async def intend(
        self, sku: str, quantity: int = 1, *, token: str = "pm_card_visa", reservation: str | None = None
    ) -> Order:
        """The Pending order, as the gateway stores it before it starts a workflow."""
        priced = {sku: PricedSku(sku, f"prod_{sku.lower()}", sku.title(), PRICE, "standard")}
        cart = price_cart([CartItem(sku, quantity)], priced, {"standard": 2000}, None, currency="GBP")
        new = NewOrder(
            id=ids.new_id(ids.ORDER),
            payment_id=ids.new_id(ids.PAYMENT),
            cart_id=ids.new_id(ids.CART),
            customer_id="c1",
            guest_key=None,
            email="ada@example.org",
            shipping_address=ADDRESS,
            billing_address=None,
            shipping_method="standard",
            lines=cart.lines,
            totals=cart.totals,
            provider="stripe",
            payment_token=token,
            reservation_id=reservation,
        )
        async with self.adapters.database.transaction(CONTEXT) as tx:
            return await tx.orders.create(new)

    async def check_out(
        self, order: Order, policy: CheckoutPolicy = QUICK, *, skip: bool = False, wait: float = 20.0
    ) -> CheckoutAnswer:
        workflows = TemporalWorkflows(self.skipping if skip else self.client, policy)
        answer = await workflows.checkout(order, CONTEXT, update_id="first", wait_seconds=wait)
        assert answer is not None, "no answer in time"
        return answer

    async def begin(self, order: Order, policy: CheckoutPolicy = QUICK, *, skip: bool = False) -> None:
        """Starts the workflow without waiting for an answer."""
        workflows = TemporalWorkflows(self.skipping if skip else self.client, policy)
        assert await workflows.start_checkout(order, CONTEXT)

    async def cancel(self, order: Order, update_id: str = "cancel") -> CancelAnswer:
        workflows = TemporalWorkflows(self.client)
        request = CancelOrder(CONTEXT, "changed my mind")
        answer = await workflows.cancel(order.id, request, update_id=update_id, wait_seconds=20.0)
        assert answer is not None, "no answer in time"
        return answer

    async def close(self, order: Order) -> None:
        """The database's part of a cancellation alone, as when its workflow task is lost after it."""
        activities = OrderActivities(self.adapters.database)
        decision = await activities.cancel_order(CancelCommand(order.id, CancelOrder(CONTEXT, "lost")))
        assert decision.accepted

    def order_workflow(self, order: Order) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(ids.order_workflow_id(order.id))

    def payment_workflow(self, order: Order) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(ids.payment_workflow_id(order.payment_id))

    def shipment_workflow(self, order: Order) -> WorkflowHandle[Any, Any]:
        shipment_id = ids.derived_id(ids.SHIPMENT, order.id)
        return self.client.get_workflow_handle(ids.shipment_workflow_id(shipment_id))

    async def view(self, order: Order) -> OrderView:
        async with self.adapters.database.reading() as tx:
            return await tx.orders.view(order.id)

    async def parcel(self, order: Order) -> Shipment:
        [shipment] = (await self.view(order)).shipments
        return shipment

    async def stock(self, sku: str) -> StockLevel:
        async with self.adapters.database.reading() as tx:
            return await tx.stock.level(sku)

    async def available(self, sku: str) -> int:
        return (await self.stock(sku)).available

    async def timeline(self, order: Order) -> list[str]:
        async with self.adapters.database.reading() as tx:
            return [entry.kind for entry in await tx.timeline.list(order.id, 0, 100)]

    async def audited(self, order: Order, action: str) -> list[Mapping[str, object]]:
        """What the audit rows of this action say was there after it, oldest first."""
        async with self.adapters.database.reading() as tx:
            entries, _ = await tx.audit.list(order.id, None, 100)
        return [entry.after or {} for entry in reversed(entries) if entry.action == action]

    async def until(
        self, order: Order, reached: Callable[[OrderView], bool], seconds: float = 15.0
    ) -> OrderView:
        async def look() -> OrderView | None:
            view = await self.view(order)
            return view if reached(view) else None

        found: OrderView = await until(look, seconds)
        return found

    async def refund(self, order: Order, amount: int) -> Refund:
        """The stored intent of a goodwill refund."""
        new = NewRefund(ids.new_id(ids.REFUND), order.id, order.payment_id, amount, "goodwill")
        async with self.adapters.database.transaction(CONTEXT) as tx:
            return await tx.payments.create_refund(new)

    async def refund_stored(self, refund_id: str) -> Refund:
        async with self.adapters.database.reading() as tx:
            return await tx.payments.refund(refund_id)

    async def sweep(self, *, silent: float = 3600.0) -> SweepReport:
        report: SweepReport = await self.client.execute_workflow(
            SWEEP_WORKFLOW,
            SweepInput(older_than_seconds=0.0, silent_seconds=silent),
            id=f"sweep-{next(_numbers)}",
            task_queue=TaskQueue.MAINTENANCE,
            result_type=SweepReport,
        )
        return report

    async def post(self, emulator: Emulator, path: str, **body: object) -> Any:
        answer = await self.http.post(f"{emulator.url}/_emulator/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def journal(self, order: Order) -> list[str]:
        """What the provider did for this order, in its own words."""
        answer = await self.http.get(f"{self.stripe.url}/_emulator/journal", params={"order_id": order.id})
        return [entry["kind"] for entry in answer.json()["data"]]

    async def money(self, order: Order) -> dict[str, int]:
        """Minor units at the provider by what became of them; zeros are left out."""
        answer = await self.http.get(f"{self.stripe.url}/_emulator/totals", params={"order_id": order.id})
        sums = {name: amounts.get("gbp", amounts.get("GBP", 0)) for name, amounts in answer.json().items()}
        return {name: amount for name, amount in sums.items() if amount}

    async def authenticate(self, order: Order, outcome: str) -> None:
        """What the shopper does at the bank."""
        [payment] = (await self.view(order)).payments
        await self.post(self.stripe, f"payment_intents/{payment.provider_ref}/authenticate", outcome=outcome)

    async def scan(self, order: Order, status: str) -> None:
        """The carrier scans the parcel, in any order."""
        await self.post(
            self.carrier, f"trackers/{(await self.parcel(order)).tracking_code}/advance", status=status
        )

    async def speed(self, step: float | None, handover: float | None = None) -> None:
        await self.post(self.carrier, "speed", step_seconds=step, handover_seconds=handover)

    async def broken(self, order: Order, *skus: str) -> list[str]:
        """Invariants that this order or these goods break."""
        async with self.adapters.database.reading() as tx:
            results = await tx.invariants.check()
        known = {order.id, order.payment_id, *skus}
        return [
            result.name for result in results if any(known & {*map(str, row.values())} for row in result.rows)
        ]

    async def intent(self, order: Order) -> str:
        """The status of its payment at the provider."""
        [payment] = (await self.view(order)).payments
        answer = await self.http.get(
            f"{self.stripe.url}/v1/payment_intents/{payment.provider_ref}",
            headers={"Authorization": f"Bearer {self.stripe.api_key}"},
        )
        status: str = answer.json()["status"]
        return status

    async def news(self, event: InboxEvent) -> None:
        """A verified webhook, as if it had just come."""
        async with self.adapters.database.transaction(CONTEXT) as tx:
            await tx.inbox.store(event)

    async def inbox(self, order: Order) -> list[InboxRow]:
        """All that was heard about an order, oldest first."""
        return await asyncio.to_thread(
            self.query,
            InboxRow,
            "SELECT event_id, kind, outcome, told_at IS NOT NULL, seen_at IS NOT NULL, attempts FROM inbox"
            " WHERE %s IN (order_id, payment_id) OR payment_id = %s OR shipment_id = %s ORDER BY seq",
            order.id,
            order.payment_id,
            ids.derived_id(ids.SHIPMENT, order.id),
        )

    async def stop(self, emulator: Emulator) -> None:
        await asyncio.to_thread(self.children[emulator.provider].stop)

    async def start(self, emulator: Emulator) -> None:
        """Again, with what it knew before."""
        self.children[emulator.provider] = await asyncio.to_thread(emulator.start)

    def query(self, row: Callable[..., T], statement: str, *values: object) -> list[T]:
        with psycopg.connect(_libpq(self.database.owner_url)) as connection:
            return [row(*found) for found in connection.execute(statement.encode(), values or None)]

    def sql(self, statement: str, *values: object) -> None:
        """As the owner: to let the database's time pass."""
        with psycopg.connect(_libpq(self.database.owner_url)) as connection:
            connection.execute(statement.encode(), values or None)


def _libpq(url: str) -> str:
    return url.replace("+psycopg", "")
