"""An order's timeline, a page at a time; the cursor is the last `seq` seen."""

from api.deps import Call
from api.errors import CursorMalformed
from api.schemas.orders import Timeline
from api.views import timeline_item


async def timeline_page(call: Call, order_id: str, cursor: str | None, limit: int) -> Timeline:
    """Raises CursorMalformed."""
    async with call.gateway.database.reading() as tx:
        entries = await tx.timeline.list(order_id, parse_seq(cursor), limit)
    full = len(entries) == limit
    return Timeline(
        items=[timeline_item(entry) for entry in entries],
        next_cursor=str(entries[-1].seq) if full else None,
    )


def parse_seq(text: str | None) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise CursorMalformed
    return int(text)
