"""An order's timeline, a page at a time; the cursor is the last `seq` seen."""

from api.deps import Call
from api.errors import CursorMalformed
from api.schemas.orders import Timeline
from api.views import timeline_item
from commerce.domain.identity import Role
from commerce.domain.orders import TimelineEntry

_FOR_STAFF = frozenset({"attention"})


async def timeline_page(call: Call, order_id: str, cursor: str | None, limit: int) -> Timeline:
    """Raises CursorMalformed."""
    async with call.gateway.database.reading() as tx:
        entries = await tx.timeline.list(order_id, parse_seq(cursor), limit)
    full = len(entries) == limit
    return Timeline(
        items=[timeline_item(entry) for entry in entries if is_shown(call, entry)],
        next_cursor=str(entries[-1].seq) if full else None,
    )


def is_shown(call: Call, entry: TimelineEntry) -> bool:
    """What support is told of a stuck step (a provider's error) is not for the shopper."""
    identity = call.access.identity
    staff = identity is not None and bool(identity.roles - {Role.CUSTOMER})
    return staff or entry.kind not in _FOR_STAFF


def parse_seq(text: str | None) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise CursorMalformed
    return int(text)
