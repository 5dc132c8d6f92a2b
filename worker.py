"""The workers: which workflow and activity serves which queue, wired to their adapters.

Run as `python worker.py --queues checkout,payments`; `--queues all` serves every queue in one process. The
worker of the maintenance queue also runs the relays of inbox and outbox and keeps the sweep's schedule.
"""

import argparse
import asyncio
import compileall
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from temporalio.client import Client
from temporalio.worker import Interceptor, PollerBehaviorAutoscaling, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import workflows
from activities.maintenance import MaintenanceActivities
from activities.notifications import NotificationActivities
from activities.orders import OrderActivities
from activities.outbox import OutboxRelay
from activities.payments import PaymentActivities
from activities.shipping import ShippingActivities
from activities.stock import StockActivities
from activities.webhooks import InboxRelay
from commerce.contracts import names
from commerce.contracts.maintenance import SweepInput
from commerce.contracts.queues import TaskQueue
from commerce.contracts.statuses import Provider
from commerce.domain.errors import ProviderError
from commerce.domain.ports import (
    Carrier,
    CartStore,
    Database,
    EventPublisher,
    Mailer,
    PaymentProvider,
    WorkflowGateway,
)
from commerce.persistence.database import connect as connect_database
from commerce.persistence.listener import listen
from commerce.persistence.migrate import current, head
from commerce.providers.aws.carts import DynamoCarts
from commerce.providers.aws.checks import missing_resources
from commerce.providers.aws.clients import AwsClients, AwsConfig
from commerce.providers.aws.events import SnsEvents
from commerce.providers.aws.mail import SesMailer
from commerce.providers.carrier.account import EasyPostAccount
from commerce.providers.carrier.easypost import EasyPostCarrier
from commerce.providers.mail_templates import render
from commerce.providers.stripe.account import StripeAccount
from commerce.providers.stripe.payments import StripePayments
from commerce.providers.valkey.live import ValkeyLiveUpdates
from commerce.runtime.interceptors import ActivityErrors
from commerce.runtime.logging import configure_logging
from commerce.runtime.loops import Relay, wake_on_news
from commerce.runtime.settings import WorkerSettings, adopt_local_identity
from commerce.runtime.temporal import NotReady, check_search_attributes, connect, ensure_sweep_schedule
from commerce.runtime.workflow_gateway import TemporalWorkflows
from workflows.checkout import CheckoutWorkflow
from workflows.notification import NotificationWorkflow
from workflows.payment import PaymentWorkflow
from workflows.shipment import ShipmentWorkflow
from workflows.stock_reservation import StockReservationWorkflow
from workflows.sweep import SweepWorkflow

log = structlog.get_logger(__name__)

WORKFLOWS: dict[TaskQueue, list[type]] = {
    TaskQueue.CHECKOUT: [CheckoutWorkflow, StockReservationWorkflow],
    TaskQueue.PAYMENTS: [PaymentWorkflow],
    TaskQueue.FULFILMENT: [ShipmentWorkflow],
    TaskQueue.NOTIFICATIONS: [NotificationWorkflow],
    TaskQueue.MAINTENANCE: [SweepWorkflow],
}

STICKY_SECONDS = 3
"""How long a killed worker's workflows wait for it before another one takes them."""

SANDBOX = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules(
        "commerce.contracts", "activities", "pydantic", "temporalio"
    )
)
"""Contracts and activity definitions are shared with the host; workflow modules never are."""


@dataclass(frozen=True)
class Adapters:
    """Everything that activities and relays are given."""

    database: Database
    providers: dict[str, PaymentProvider]
    carrier: Carrier
    workflows: WorkflowGateway
    carts: CartStore
    publisher: EventPublisher
    mailer: Mailer
    return_url: str


def activities_of(adapters: Adapters) -> dict[TaskQueue, list[Callable[..., object]]]:
    """Each activity on its one queue."""
    orders = OrderActivities(adapters.database)
    stock = StockActivities(adapters.database)
    payments = PaymentActivities(
        adapters.database, adapters.providers, adapters.workflows, adapters.return_url
    )
    shipping = ShippingActivities(adapters.database, adapters.carrier, adapters.workflows)
    messages = NotificationActivities(adapters.database, adapters.mailer, render)
    maintenance = MaintenanceActivities(
        adapters.database, adapters.workflows, adapters.providers, adapters.carrier
    )
    return {
        TaskQueue.CHECKOUT: [
            orders.verify_promise,
            orders.place_order,
            orders.reject_order,
            orders.cancel_order,
            orders.complete_order,
            orders.flag_attention,
            orders.record_resolution,
            stock.reserve_stock,
            stock.release_stock,
            stock.extend_hold,
            stock.hold_reservation,
            stock.extend_reservation,
            stock.release_reservation,
            stock.expire_reservation,
        ],
        TaskQueue.PAYMENTS: [
            payments.authorise_payment,
            payments.read_payment,
            payments.void_payment,
            payments.capture_payment,
            payments.plan_undo,
            payments.settlement,
            payments.refund_payment,
        ],
        TaskQueue.FULFILMENT: [shipping.buy_label, shipping.void_label, shipping.record_tracking],
        TaskQueue.NOTIFICATIONS: [messages.send_message],
        TaskQueue.MAINTENANCE: [maintenance.sweep],
    }


def build_workers(
    client: Client,
    adapters: Adapters,
    queues: Sequence[TaskQueue],
    *,
    drain_seconds: int,
    interceptors: Sequence[Interceptor] = (),
) -> list[Worker]:
    """One worker per queue, each with slots of its own."""
    activities = activities_of(adapters)
    return [
        Worker(
            client,
            task_queue=queue,
            workflows=WORKFLOWS[queue],
            activities=activities[queue],
            workflow_runner=SANDBOX,
            interceptors=[ActivityErrors(), *interceptors],
            workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
            activity_task_poller_behavior=PollerBehaviorAutoscaling(),
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=STICKY_SECONDS),
            graceful_shutdown_timeout=timedelta(seconds=drain_seconds),
            max_concurrent_activities=50,
            max_concurrent_local_activities=50,
        )
        for queue in queues
    ]


def build_relays(adapters: Adapters, poll_seconds: float) -> dict[str, Relay]:
    """By the channel of PostgreSQL that wakes each."""
    outbox = OutboxRelay(adapters.database, adapters.publisher, adapters.workflows, adapters.carts)
    inbox = InboxRelay(adapters.database, adapters.workflows, {adapters.carrier.name: adapters.carrier})
    return {
        "outbox": Relay("outbox", outbox.run_once, poll_seconds),
        "inbox": Relay("inbox", inbox.run_once, poll_seconds),
    }


def aws_clients(settings: WorkerSettings) -> AwsClients:
    return AwsClients(AwsConfig(settings.aws_region, settings.aws_endpoint_url, settings.aws_endpoints))


@asynccontextmanager
async def open_adapters(settings: WorkerSettings, client: Client) -> AsyncIterator[Adapters]:
    """Connects everything and closes it again."""
    async with AsyncExitStack() as stack:
        live = ValkeyLiveUpdates(settings.valkey_url.get_secret_value())
        stack.push_async_callback(live.close)
        database = connect_database(
            settings.database_url.get_secret_value(),
            pool_size=settings.database_pool_size,
            application_name="worker",
            live=live,
        )
        stack.push_async_callback(database.close)
        aws = aws_clients(settings)
        stack.callback(aws.close)
        stripe = StripePayments(
            StripeAccount(
                secret_key=settings.stripe_secret_key.get_secret_value(),
                webhook_secret=settings.stripe_webhook_secret.get_secret_value(),
                api_base=settings.stripe_api_base,
            )
        )
        stack.push_async_callback(stripe.close)
        carrier = EasyPostCarrier(
            EasyPostAccount(
                api_key=settings.carrier_api_key.get_secret_value(),
                webhook_secret=settings.carrier_webhook_secret.get_secret_value(),
                sender=settings.sender_address,
                api_base=settings.carrier_api_base,
            )
        )
        stack.push_async_callback(carrier.close)
        yield Adapters(
            database=database,
            providers={Provider.STRIPE.value: stripe},
            carrier=carrier,
            workflows=TemporalWorkflows(client, settings.checkout_policy),
            carts=DynamoCarts(aws.dynamodb, settings.cart_table, timedelta(days=settings.cart_days)),
            publisher=SnsEvents(aws.sns, settings.sns_topic_prefix),
            mailer=SesMailer(aws.ses, settings.mail_sender),
            return_url=f"{settings.public_url}/v1/orders/{{order_id}}",
        )


async def check(settings: WorkerSettings, client: Client) -> None:
    """Says what is missing before an order can hang on it. Raises NotReady or ProviderError."""
    await check_search_attributes(client)
    known, wanted = await asyncio.to_thread(current, settings.database_url.get_secret_value()), head()
    if known != wanted:
        raise NotReady(f"the database is at migration {known}, this build needs {wanted}: run `make migrate`")
    aws = aws_clients(settings)
    try:
        missing = await missing_resources(
            aws,
            cart_table=settings.cart_table,
            topics=[settings.sns_topic_prefix + topic for topic in names.TOPICS],
            mail_sender=settings.mail_sender,
        )
    finally:
        aws.close()
    if missing:
        raise NotReady("; ".join(missing))


async def serve(settings: WorkerSettings, queues: Sequence[TaskQueue]) -> None:
    """Serves until SIGTERM or SIGINT, then stops polling, drains and returns."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    client = await connect(settings, metrics_address=f"127.0.0.1:{settings.worker_metrics_port}")
    await check(settings, client)
    async with open_adapters(settings, client) as adapters, AsyncExitStack() as running:
        for worker in build_workers(client, adapters, queues, drain_seconds=settings.drain_seconds):
            await running.enter_async_context(worker)
        if TaskQueue.MAINTENANCE in queues:
            await running.enter_async_context(maintain(settings, client, adapters))
        log.info("worker is ready", queues=[queue.value for queue in queues])
        await stop.wait()
        log.info("worker drains", seconds=settings.drain_seconds)


@asynccontextmanager
async def maintain(settings: WorkerSettings, client: Client, adapters: Adapters) -> AsyncIterator[None]:
    """The sweep's schedule and the relays of inbox and outbox, while the block runs."""
    await ensure_sweep_schedule(
        client,
        timedelta(seconds=settings.sweep_seconds),
        SweepInput(silent_seconds=settings.silent_seconds),
    )
    relays = build_relays(adapters, settings.relay_poll_seconds)
    news = listen(settings.database_url.get_secret_value(), list(relays))
    tasks = [asyncio.create_task(relay.run()) for relay in relays.values()]
    tasks.append(asyncio.create_task(wake_on_news(news, relays)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def compile_workflows() -> None:
    """The sandbox imports the workflow modules anew for each workflow: they are compiled once, here.

    Where bytecode is not written by itself (PYTHONDONTWRITEBYTECODE, a read-only image), every workflow
    would compile its modules again, which is half the cost of starting one.
    """
    folder = Path(workflows.__file__ or "").parent
    if not os.access(folder, os.W_OK):
        sys.pycache_prefix = tempfile.mkdtemp(prefix="commerce-bytecode-")
    compileall.compile_dir(folder, quiet=1)


def parse_queues(text: str) -> list[TaskQueue]:
    """`all`, or queue names between commas. Raises ValueError that lists the known ones."""
    if text == "all":
        return list(TaskQueue)
    try:
        return [TaskQueue(name.strip()) for name in text.split(",")]
    except ValueError as unknown:
        raise ValueError(f"{unknown}; known queues: {', '.join(TaskQueue)}") from unknown


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--queues", default="all", help="queue names between commas, or all")
    arguments = parser.parse_args()
    try:
        queues = parse_queues(arguments.queues)
        settings = WorkerSettings()
    except ValueError as fault:
        sys.stderr.write(f"worker: {fault}\n")
        return 2
    configure_logging(settings)
    adopt_local_identity(settings)
    compile_workflows()
    try:
        asyncio.run(serve(settings, queues))
    except (NotReady, ProviderError) as missing:
        log.error("worker cannot start", reason=str(missing))
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # The SDK's native threads can abort Python 3.11 at exit after a clean shutdown (sdk-python #300).
    os._exit(code)
