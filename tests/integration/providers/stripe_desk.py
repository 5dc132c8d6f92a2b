"""The Stripe emulator as a desk of the payment contract."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from commerce.domain.providers import AuthorisationRequest
from commerce.providers.stripe import StripeAccount, StripePayments
from devstack.servers.emulators import Emulator

HELD_SECONDS = 0.6


class StripeDesk:
    good = "pm_card_visa"
    needs_action = "pm_card_authenticationRequired"
    refund_fails = "pm_card_refundFail"
    declines = {  # noqa: RUF012 - never changed
        "pm_card_chargeDeclined": "generic_decline",
        "pm_card_chargeDeclinedInsufficientFunds": "insufficient_funds",
        "pm_card_chargeDeclinedExpiredCard": "expired_card",
    }
    _calls = {  # noqa: RUF012 - never changed
        "authorise": "payment_intents.create",
        "capture": "payment_intents.capture",
        "void": "payment_intents.cancel",
        "refund": "refunds.create",
        "read": "payment_intents.retrieve",
    }
    _effects = {  # noqa: RUF012 - never changed
        "authorised": "payment_intent.authorised",
        "captured": "payment_intent.captured",
        "voided": "payment_intent.canceled",
        "refunded": "refund.created",
    }

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.provider = self.adapter(timeout=10.0)
        self.hasty = self.adapter(timeout=HELD_SECONDS / 2)
        self.control = httpx.AsyncClient(base_url=f"{emulator.url}/_emulator", timeout=10, verify=False)

    def adapter(self, **changes: Any) -> StripePayments:
        settings = {
            "secret_key": self.emulator.api_key,
            "webhook_secret": self.emulator.webhook_secret,
            "api_base": self.emulator.url,
        }
        return StripePayments(StripeAccount(**{**settings, **changes}))

    async def close(self) -> None:
        await self.provider.close()
        await self.hasty.close()
        await self.control.aclose()

    async def fault(self, call: str, mode: str, payment: AuthorisationRequest, times: int = 1) -> None:
        subject = {"metadata": {"payment_id": payment.payment_id}}
        body = {"mode": mode, "times": times, "seconds": HELD_SECONDS, "match": subject}
        await self.post("faults", operation=self._calls[call], **body)

    async def sums(self, order_id: str) -> dict[str, int]:
        answer = await self.control.get("/totals", params={"order_id": order_id})
        return {name: sum(by_currency.values()) for name, by_currency in answer.json().items() if by_currency}

    async def count(self, order_id: str, effect: str) -> int:
        answer = await self.control.get("/journal", params={"order_id": order_id})
        return sum(entry["kind"] == self._effects[effect] for entry in answer.json()["data"])

    async def shopper(self, provider_ref: str, *, succeeds: bool) -> None:
        outcome = "succeed" if succeeds else "fail"
        await self.post(f"payment_intents/{provider_ref}/authenticate", outcome=outcome)

    async def eventually(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(8):
            while not await holds():  # noqa: ASYNC110 - nothing wakes us
                await asyncio.sleep(0.05)

    async def post(self, path: str, **body: Any) -> Any:
        answer = await self.control.post(f"/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def events(self, kind: str, provider_ref: str) -> list[dict[str, Any]]:
        """The provider's own record of its events about a payment."""
        async with httpx.AsyncClient(base_url=self.emulator.url, verify=False) as api:
            answer = await api.get(
                "/v1/events",
                params={"type": kind, "limit": "100"},
                headers={"authorization": f"Bearer {self.emulator.api_key}"},
            )
        about = [event["data"]["object"] for event in answer.json()["data"]]
        return [
            event
            for event, subject in zip(answer.json()["data"], about, strict=True)
            if provider_ref in {subject["id"], subject.get("payment_intent")}
        ]
