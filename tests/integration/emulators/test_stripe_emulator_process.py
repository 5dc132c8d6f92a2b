"""The Stripe emulator as a process: stop, kill, restart, time."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import stripe

from devstack.processes import Child
from devstack.servers.emulators import Emulator
from devstack.testing import TestServers
from tests.integration.emulators.stripe_desk import Receiver, StripeDesk, until

Start = Callable[[], Child]


@pytest.fixture
def own(servers: TestServers, receiver: Receiver) -> Emulator:
    return servers.new_stripe(receiver.url)


@pytest.fixture
def start(own: Emulator) -> Iterator[Start]:
    """Starts this test's emulator; what still runs at the end is stopped."""
    started: list[Child] = []

    def begin() -> Child:
        started.append(own.start())
        return started[-1]

    yield begin
    for child in started:
        child.stop()


@pytest.fixture
async def shop(
    own: Emulator, receiver: Receiver, stripe_http: stripe.HTTPXClient
) -> AsyncIterator[StripeDesk]:
    async with _control(own) as control:
        yield StripeDesk(own, receiver, stripe_http, control)


@asynccontextmanager
async def _control(emulator: Emulator) -> AsyncIterator[httpx.AsyncClient]:
    url = f"{emulator.url}/_emulator"
    async with httpx.AsyncClient(base_url=url, timeout=10, verify=False) as control:
        yield control


def kill(child: Child) -> None:
    child.signal(signal.SIGKILL)
    child.stop()


def lines(journal: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in journal.read_text().splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly(start: Start, shop: StripeDesk, number: signal.Signals) -> None:
    process = start()
    await shop.create()

    process.signal(number)

    await until(lambda: not process.alive)
    assert process.exit_code == 0
    assert shop.emulator.log.read_text() == ""


async def test_a_call_that_is_held_does_not_hold_up_the_end(start: Start, shop: StripeDesk) -> None:
    process = start()
    await shop.fault("payment_intents.create", "timeout_after", seconds=60)
    call = asyncio.create_task(shop.create())
    await until(lambda: shop.emulator.journal.stat().st_size > 0)
    stopped = time.monotonic()

    process.signal(signal.SIGTERM)

    await until(lambda: not process.alive)
    assert process.exit_code == 0
    assert time.monotonic() - stopped < 3
    with pytest.raises(stripe.StripeError):
        await call


async def test_a_kill_loses_nothing_that_was_answered(start: Start, shop: StripeDesk) -> None:
    first = start()
    held, taken = await shop.create(key=f"a:{shop.order_id}"), await shop.captured()
    before = await shop.journal()
    kill(first)

    start()

    assert await shop.journal() == before
    assert (await shop.retrieve(held.id)).to_dict() == held.to_dict()
    replayed = await shop.create(key=f"a:{shop.order_id}")
    assert replayed.last_response.headers["idempotent-replayed"] == "true"
    captured = await shop.v1.payment_intents.capture_async(held.id)
    assert captured.status == "succeeded"
    assert await shop.totals() == {"captured": {"gbp": 2 * 3999}}
    assert {intent.id for intent in await shop.found()} == {held.id, taken.id}
    sequence = [entry["seq"] for entry in lines(shop.emulator.journal)]
    assert sequence == list(range(1, 5))


async def test_a_journal_line_that_a_kill_swallowed_is_written_at_the_next_start(
    start: Start, shop: StripeDesk
) -> None:
    first = start()
    await shop.create()
    kill(first)
    journal = shop.emulator.journal
    kept = journal.read_text()
    journal.write_text(kept[:20])

    start()

    assert await shop.journal() == [("payment_intent.authorised", 3999)]
    assert journal.read_text().endswith(kept)


async def test_an_undelivered_event_is_delivered_after_a_restart(start: Start, shop: StripeDesk) -> None:
    shop.receiver.refusals["payment_intent.created"] = 1
    process = start()
    await shop.settings(webhook_retry_scale=1000)
    intent = await shop.create()
    await shop.events(intent, "payment_intent.created", "charge.succeeded")
    assert process.stop() == 0

    start()

    await until(lambda: shop.receiver.types(intent.id).count("payment_intent.created") == 2)
    attempts = await shop.events(intent, "payment_intent.created")
    assert len({attempt.event["id"] for attempt in attempts}) == 1


async def test_a_refund_under_way_ends_after_a_restart(start: Start, shop: StripeDesk) -> None:
    process = start()
    intent = await shop.captured()
    await shop.settings(refund_delay_seconds=0.8)
    refund = await shop.refund(intent, 100)
    process.stop()
    assert refund.status == "pending"

    start()

    (told,) = await shop.events(intent, "refund.updated")
    assert told.subject["status"] == "succeeded"


async def test_a_hold_runs_out_and_is_given_back(start: Start, shop: StripeDesk) -> None:
    start()
    intent = await shop.create()
    await shop.post("clock", advance_seconds=7 * 86_400 - 60)
    assert (await shop.retrieve(intent.id)).status == "requires_capture"

    await shop.post("clock", advance_seconds=120)

    after = await shop.retrieve(intent.id)
    assert (after.status, after.cancellation_reason) == ("canceled", "automatic")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.v1.payment_intents.capture_async(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    await shop.events(intent, "charge.expired", "payment_intent.canceled")
    assert await shop.totals() == {}


async def test_a_key_is_free_again_after_more_than_a_day(start: Start, shop: StripeDesk) -> None:
    process = start()
    key = f"k:{shop.order_id}"
    await shop.create(key=key)
    await shop.post("clock", advance_seconds=86_000)
    assert (await shop.create(key=key)).last_response.headers["idempotent-replayed"] == "true"
    process.stop()
    start()

    await shop.post("clock", advance_seconds=500)

    assert "idempotent-replayed" not in (await shop.create(key=key)).last_response.headers
    assert await shop.totals() == {"authorised": {"gbp": 2 * 3999}}


def test_a_taken_port_is_one_clear_line(own: Emulator, start: Start) -> None:
    start()

    second = subprocess.run(
        own.launch().argv, cwd=own.launch().cwd, capture_output=True, text=True, timeout=10, check=False
    )

    assert second.returncode == 1
    assert second.stderr == f"cannot listen on 127.0.0.1:{own.port}: Address already in use\n"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(["--set", "colour=2"], "'colour' is none of"), (["--webhook-url", "ftp://x"], "not an HTTP address")],
)
def test_a_setting_that_makes_no_sense_is_named(own: Emulator, wrong: list[str], words: str) -> None:
    ended = subprocess.run(
        [*own.launch().argv, *wrong],
        cwd=own.launch().cwd,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )

    assert ended.returncode == 2
    assert words in ended.stderr.splitlines()[-1]


def test_it_shares_no_code_with_what_it_judges(own: Emulator) -> None:
    code = (
        "import sys, devstack.emulators.stripe.__main__\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} "
        "& {'api', 'activities', 'commerce', 'workflows', 'stripe', 'temporalio'}))"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=own.launch().cwd, capture_output=True, text=True, check=True
    )

    assert loaded.stdout == "[]\n"
