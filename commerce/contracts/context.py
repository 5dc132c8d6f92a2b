"""Who asked for a change, and under which request: carried by every message, update and outbox row."""

from dataclasses import dataclass, replace

SYSTEM_ACTOR = "system"


@dataclass(frozen=True)
class RequestContext:
    """Ids only; `actor` is a role and subject (`customer:…`, `guest:cart_…`, `support:…`) or `system`."""

    request_id: str
    actor: str = SYSTEM_ACTOR
    traceparent: str | None = None
    on_behalf_of: str | None = None

    def as_system(self) -> "RequestContext":
        """The same request, continued by the shop itself for whoever asked."""
        return replace(self, actor=SYSTEM_ACTOR, on_behalf_of=self.on_behalf_of or self.actor)
