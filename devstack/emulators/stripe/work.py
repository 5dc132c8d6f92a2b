"""One call's view of the emulator: what it may read, and what it is going to change."""

import secrets
import string
from dataclasses import dataclass, field

from devstack.emulators.common.journal import Journal
from devstack.emulators.common.jsonvalue import JSON
from devstack.emulators.stripe.errors import ApiError, no_such
from devstack.emulators.stripe.model import PaymentIntent, PaymentMethod, Stored, StoredEvent
from devstack.emulators.stripe.params import Params
from devstack.emulators.stripe.render import Body, Renderer
from devstack.emulators.stripe.settings import Clock, Settings
from devstack.emulators.stripe.store import Changes, Store, T

_ALPHABET = string.ascii_letters + string.digits
_NAMES = {"PaymentIntent": "payment_intent", "PaymentMethod": "PaymentMethod"}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Body


@dataclass(frozen=True)
class Call:
    """`subject` is the id in the path, empty where there is none."""

    params: Params
    subject: str = ""
    path: str = ""
    request_id: str | None = None
    idempotency_key: str | None = None
    wrong_amount: bool = False
    """The planted fault: do a little less than asked, and say so."""


@dataclass(frozen=True)
class World:
    store: Store
    journal: Journal
    settings: Settings
    clock: Clock
    renderer: Renderer
    api_version: str


@dataclass
class Work:
    """Handlers check everything first (raising ApiError), and only then change objects and `save` them."""

    world: World
    call: Call
    changes: Changes = field(default_factory=Changes)

    @property
    def params(self) -> Params:
        return self.call.params

    @property
    def settings(self) -> Settings:
        return self.world.settings

    def now(self) -> float:
        return self.world.clock.now()

    def get(self, kind: type[T], object_id: str) -> T | None:
        """Sees what this call has saved so far."""
        changed = self.changes.objects.get(object_id)
        return changed if isinstance(changed, kind) else self.world.store.get(kind, object_id)

    def rendered(self, object_id: str) -> Body | None:
        found = self.changes.objects.get(object_id) or self.world.store.find(object_id)
        return None if found is None else self.world.renderer.render(found)

    def subject(self, kind: type[T], param: str = "id") -> T:
        """The object that the URL names. Raises ApiError 404."""
        found = self.get(kind, self.call.subject)
        if found is None:
            raise no_such(_name(kind), self.call.subject, param, in_url=True)
        return found

    def named(self, kind: type[T], object_id: str, param: str) -> T:
        """The object that a parameter names. Raises ApiError 400."""
        found = self.get(kind, object_id)
        if found is None:
            raise no_such(_name(kind), object_id, param, in_url=False)
        return found

    def method_of(self, intent: PaymentIntent) -> PaymentMethod:
        found = self.get(PaymentMethod, intent.payment_method or "")
        if found is None:
            raise ApiError("This PaymentIntent has no payment method.")
        return found

    def shave(self, amount: int) -> int:
        return max(1, amount - 1) if self.call.wrong_amount else amount

    def save(self, *objects: Stored) -> None:
        for stored in objects:
            self.changes.objects[stored.id] = stored

    def show(self, stored: Stored, status: int = 200) -> Answer:
        return Answer(status, self.world.renderer.render(stored))

    def emit(self, kind: str, stored: Stored, **previous: JSON) -> None:
        """Add an event with the object as it is now."""
        now = self.now()
        data: Body = {"object": self.world.renderer.render(stored)}
        if previous:
            data["previous_attributes"] = previous
        request: Body = {"id": self.call.request_id, "idempotency_key": self.call.idempotency_key}
        event_id = new_id("evt")
        body: Body = {
            "id": event_id,
            "object": "event",
            "api_version": self.world.api_version,
            "created": int(now),
            "data": data,
            "livemode": False,
            "request": request,
            "type": kind,
        }
        self.changes.events.append(StoredEvent(event_id, kind, now, body))

    def record(self, kind: str, intent: PaymentIntent, amount: int, **fields: JSON) -> None:
        """Add a journal line; `amount` is what this effect moved, in minor units."""
        entry = self.world.journal.build(
            kind,
            intent.metadata.get("order_id"),
            amount=amount,
            currency=intent.currency,
            payment_intent=intent.id,
            idempotency_key=self.call.idempotency_key,
            request_id=self.call.request_id,
            **fields,
        )
        self.changes.entries.append(entry)


def new_id(prefix: str, length: int = 24) -> str:
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _name(kind: type[Stored]) -> str:
    return _NAMES.get(kind.__name__, kind.__name__.lower())
