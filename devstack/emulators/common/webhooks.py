"""Delivers events to the shop: signed, retried for what stands for days, and misbehaving on demand."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from devstack.emulators.common.jsonvalue import JSON, BadInput, integer, number, text
from devstack.emulators.common.post import Poster

RETRY_DELAYS = tuple(4.0 * 2**n for n in range(16))
"""Seconds between attempts before scaling: three days in all, as providers promise."""

Signer: TypeAlias = Callable[[bytes, bool], Mapping[str, str]]
"""Headers for a body; the flag asks for a signature that must not verify."""


class DeliveryMode(StrEnum):
    DUPLICATE = "duplicate"
    """Delivered once more for each of `copies`."""
    REORDER = "reorder"
    """Held until a later event was delivered, or `seconds` have passed."""
    DELAY = "delay"
    """Held for `seconds`."""
    LOSE = "lose"
    """Never delivered, unless resent by hand."""
    WRONG_SIGNATURE = "wrong_signature"
    """The first attempt carries a bad signature; retries are good."""


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    LOST = "lost"
    GIVEN_UP = "given_up"


@dataclass
class ModeRule:
    event_type: str
    mode: DeliveryMode
    times: int
    seconds: float
    copies: int

    @classmethod
    def from_json(cls, body: Mapping[str, JSON]) -> "ModeRule":
        try:
            mode = DeliveryMode(text(body, "mode"))
        except ValueError as error:
            raise BadInput(f"mode must be one of: {', '.join(DeliveryMode)}") from error
        times, copies = integer(body, "times", 1), integer(body, "copies", 1)
        if times < 1 or copies < 1:
            raise BadInput("times and copies must be 1 or more")
        return cls(text(body, "event_type", "*"), mode, times, number(body, "seconds", 2.0), copies)

    def to_json(self) -> dict[str, JSON]:
        return {
            "event_type": self.event_type,
            "mode": self.mode.value,
            "times": self.times,
            "seconds": self.seconds,
            "copies": self.copies,
        }


@dataclass
class Delivery:
    """`payload` is dropped once the delivery is settled."""

    event_id: str
    event_type: str
    payload: bytes
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    last_status: int | None = None

    def to_json(self) -> dict[str, JSON]:
        return {
            "event_id": self.event_id,
            "event_type": self.event_type,
            "state": self.state.value,
            "attempts": self.attempts,
            "last_status": self.last_status,
        }


class WebhookSender:
    """One task per event, so no order is promised; `settled` is told when an event needs no more attempts.

    `retry_scale` multiplies RETRY_DELAYS. Deliveries live in memory: the owner keeps the events and sends
    the unsettled ones again after a restart.
    """

    def __init__(
        self,
        url: str | None,
        sign: Signer,
        settled: Callable[[Delivery], None],
        retry_scale: float = 0.05,
        timeout: float = 10.0,
    ) -> None:
        self._poster = Poster(url, timeout) if url else None
        self._sign = sign
        self._settled = settled
        self.retry_scale = retry_scale
        self._rules: list[ModeRule] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._deliveries: dict[str, Delivery] = {}
        self._held: list[asyncio.Event] = []

    def send(self, event_id: str, event_type: str, payload: bytes, *, plain: bool = False) -> None:
        """Start the delivery; `plain` ignores the modes. Without a URL the event is settled at once."""
        delivery = Delivery(event_id, event_type, payload)
        self._deliveries[event_id] = delivery
        if self._poster is None:
            self._settle(delivery, DeliveryState.DELIVERED)
            return
        rule = None if plain else self._take_rule(event_type)
        if rule is not None and rule.mode is DeliveryMode.LOSE:
            self._settle(delivery, DeliveryState.LOST)
            return
        task = asyncio.create_task(self._deliver(self._poster, delivery, rule))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def add_mode(self, rule: ModeRule) -> None:
        self._rules.append(rule)

    def modes(self) -> list[ModeRule]:
        return list(self._rules)

    def clear_modes(self) -> None:
        self._rules.clear()

    def deliveries(self) -> list[Delivery]:
        return list(self._deliveries.values())

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._poster is not None:
            await self._poster.close()

    def _take_rule(self, event_type: str) -> ModeRule | None:
        for rule in self._rules:
            if rule.event_type in {"*", event_type}:
                rule.times -= 1
                if rule.times == 0:
                    self._rules.remove(rule)
                return rule
        return None

    async def _deliver(self, poster: Poster, delivery: Delivery, rule: ModeRule | None) -> None:
        mode = rule.mode if rule is not None else None
        if rule is not None and mode is DeliveryMode.DELAY:
            await asyncio.sleep(rule.seconds)
        if rule is not None and mode is DeliveryMode.REORDER:
            await self._hold(rule.seconds)
        accepted = await self._attempt(poster, delivery, forged=mode is DeliveryMode.WRONG_SIGNATURE)
        for delay in RETRY_DELAYS:
            if accepted:
                break
            await asyncio.sleep(delay * self.retry_scale)
            accepted = await self._attempt(poster, delivery, forged=False)
        if rule is not None and mode is DeliveryMode.DUPLICATE:
            for _ in range(rule.copies):
                await self._attempt(poster, delivery, forged=False)
        self._settle(delivery, DeliveryState.DELIVERED if accepted else DeliveryState.GIVEN_UP)
        if mode is not DeliveryMode.REORDER:
            self._release_held()

    async def _attempt(self, poster: Poster, delivery: Delivery, *, forged: bool) -> bool:
        headers = {"content-type": "application/json; charset=utf-8", **self._sign(delivery.payload, forged)}
        delivery.attempts += 1
        delivery.last_status = await poster.post(delivery.payload, headers)
        return delivery.last_status is not None and 200 <= delivery.last_status < 300

    async def _hold(self, seconds: float) -> None:
        released = asyncio.Event()
        self._held.append(released)
        try:
            await asyncio.wait_for(released.wait(), seconds)
        except TimeoutError:
            self._held.remove(released)

    def _release_held(self) -> None:
        for released in self._held:
            released.set()
        self._held.clear()

    def _settle(self, delivery: Delivery, state: DeliveryState) -> None:
        delivery.state = state
        delivery.payload = b""
        self._settled(delivery)
