"""What the tests of the Stripe emulator share: the real SDK on one side, a webhook receiver on the other."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx
import stripe

from devstack.servers.emulators import Emulator


@dataclass(frozen=True)
class Delivery:
    """One request to the receiver; `verified` says whether the SDK accepts its signature."""

    body: bytes
    signature: str
    event: dict[str, Any]
    verified: bool

    @property
    def subject(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.event["data"]["object"]
        return shown


class Receiver:
    """A shop's webhook endpoint: answers 200, 400 to a bad signature, 500 while told to refuse."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.deliveries: list[Delivery] = []
        self.refusals: Counter[str] = Counter()
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = receiver.take(body, self.headers.get("stripe-signature", ""))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhooks"

    def take(self, body: bytes, signature: str) -> int:
        try:
            event, verified = stripe.Webhook.construct_event(body, signature, self.secret), True
        except stripe.SignatureVerificationError:
            event, verified = stripe.Webhook.construct_event_without_verification(body), False
        delivery = Delivery(body, signature, event.to_dict(), verified)
        with self._lock:
            self.deliveries.append(delivery)
            if self.refusals[delivery.event["type"]] > 0:
                self.refusals[delivery.event["type"]] -= 1
                return 500
        return 200 if verified else 400

    def about(self, payment_intent: str) -> list[Delivery]:
        with self._lock:
            return [
                delivery
                for delivery in self.deliveries
                if payment_intent in {delivery.subject["id"], delivery.subject.get("payment_intent")}
            ]

    def types(self, payment_intent: str) -> list[str]:
        return [delivery.event["type"] for delivery in self.about(payment_intent)]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class StripeDesk:
    """A merchant with one order; the emulator behind it is shared by many."""

    def __init__(
        self, emulator: Emulator, receiver: Receiver, http: stripe.HTTPXClient, control: httpx.AsyncClient
    ) -> None:
        self.emulator = emulator
        self.receiver = receiver
        self.client = stripe.StripeClient(
            emulator.api_key, base_addresses={"api": emulator.url}, http_client=http, max_network_retries=0
        )
        self.v1 = self.client.v1
        self.order_id = f"ord_{uuid4().hex}"
        self.control = control

    async def create(self, card: str | None = "pm_card_visa", key: str | None = None, **changes: Any) -> Any:
        params: dict[str, Any] = {
            "amount": 3999,
            "currency": "gbp",
            "capture_method": "manual",
            "payment_method_types": ["card"],
            "metadata": {"order_id": self.order_id},
            "expand": ["latest_charge"],
        }
        if card is not None:
            params |= {"confirm": True, "payment_method": card}
        options: Any = {"idempotency_key": key} if key else {}
        return await self.v1.payment_intents.create_async({**params, **changes}, options)  # type: ignore[typeddict-item]

    async def captured(self, card: str = "pm_card_visa", amount: int = 3999) -> Any:
        return await self.create(card, capture_method="automatic", amount=amount)

    async def retrieve(self, intent_id: str) -> Any:
        return await self.v1.payment_intents.retrieve_async(intent_id, {"expand": ["latest_charge"]})

    async def refund(self, intent: Any, amount: int | None = None, **changes: Any) -> Any:
        params: Any = {"payment_intent": intent.id, **changes}
        return await self.v1.refunds.create_async(params if amount is None else params | {"amount": amount})

    async def found(self) -> list[Any]:
        """The intents of this order."""
        query = f"metadata['order_id']:'{self.order_id}'"
        return list((await self.v1.payment_intents.search_async({"query": query})).data)

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.control.post(f"/{path}", json=body)
        assert answer.is_success, answer.text
        shown: dict[str, Any] = answer.json() if answer.content else {}
        return shown

    async def fault(self, operation: str, mode: str, **more: Any) -> None:
        match = {"metadata": {"order_id": self.order_id}}
        await self.post("faults", operation=operation, mode=mode, **{"match": match, **more})

    async def settings(self, **changes: float) -> None:
        await self.post("settings", **changes)

    async def journal(self) -> list[tuple[str, int]]:
        """Kind and amount of this order's entries."""
        answer = await self.control.get("/journal", params={"order_id": self.order_id})
        return [(entry["kind"], entry["amount"]) for entry in answer.json()["data"]]

    async def totals(self) -> dict[str, dict[str, int]]:
        answer = await self.control.get("/totals", params={"order_id": self.order_id})
        shown: dict[str, dict[str, int]] = answer.json()
        return {name: sums for name, sums in shown.items() if sums}

    async def events(self, intent: Any, *types: str) -> list[Delivery]:
        """Waits until the receiver got all these types about the payment."""
        await until(lambda: set(types) <= set(self.receiver.types(intent.id)))
        return [d for d in self.receiver.about(intent.id) if d.event["type"] in types]

    async def reset(self) -> None:
        for path in ("/faults", "/webhooks/modes", "/settings"):
            await self.control.delete(path)
        self.receiver.refusals.clear()


async def until(holds: Callable[[], bool], seconds: float = 8.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, "did not happen in time"
        await asyncio.sleep(0.02)
