"""Reads orders from PostgreSQL and their workflows from Temporal, for a person or as JSON."""

import asyncio
from collections.abc import Sequence

from api.views import order_view, timeline_item
from commerce.cli import order_text
from commerce.cli.errors import CommandError, Exit
from commerce.cli.out import answers, print_json
from commerce.cli.running import open_database
from commerce.cli.settings import CommandSettings, load
from commerce.cli.workflow_state import WorkflowState, read_state
from commerce.contracts.statuses import OrderStatus
from commerce.domain.orders import OrderView, TimelineEntry
from commerce.domain.ports import Database

_PAGE = 100
_MOST_ENTRIES = 1000


async def show_list(status: str | None, customer: str | None, limit: int, *, as_json: bool) -> None:
    if status is not None and status not in set(OrderStatus):
        raise CommandError(f"no status {status!r}: one of {', '.join(OrderStatus)}", Exit.CONFIGURATION)
    async with open_database(load()) as database:
        views = await _newest(database, status, customer, limit)
    if as_json:
        print_json([order_view(view).model_dump(mode="json") for view in views])
    else:
        answers().print(order_text.table_of(views))


async def show_one(order_id: str, *, as_json: bool) -> None:
    view, timeline, workflow = await _everything(load(), order_id)
    if as_json:
        print_json(_document(view, timeline, workflow))
    else:
        for part in order_text.page_of(view, timeline, workflow):
            answers().print(part, soft_wrap=isinstance(part, str))


async def show_story(order_id: str, *, as_json: bool) -> None:
    view, timeline, workflow = await _everything(load(), order_id)
    story = order_text.story_of(view, timeline, workflow)
    if as_json:
        print_json({"order_id": order_id, "story": story, "workflow": workflow})
    else:
        answers().print("\n".join(story), markup=False, soft_wrap=True)


async def _newest(
    database: Database, status: str | None, customer: str | None, limit: int
) -> Sequence[OrderView]:
    found: list[OrderView] = []
    cursor = None
    async with database.reading() as tx:
        while len(found) < limit:
            views, cursor = await tx.orders.list_views(
                customer_id=customer, status=status, cursor=cursor, limit=min(_PAGE, limit - len(found))
            )
            found += views
            if cursor is None:
                break
    return found


async def _everything(
    settings: CommandSettings, order_id: str
) -> tuple[OrderView, Sequence[TimelineEntry], WorkflowState]:
    asking = asyncio.create_task(read_state(settings, order_id))
    try:
        async with open_database(settings) as database, database.reading() as tx:
            view = await tx.orders.view(order_id)
            timeline = await tx.timeline.list(order_id, 0, _MOST_ENTRIES)
        return view, timeline, await asking
    finally:
        asking.cancel()


def _document(
    view: OrderView, timeline: Sequence[TimelineEntry], workflow: WorkflowState
) -> dict[str, object]:
    return {
        "order": order_view(view).model_dump(mode="json"),
        "timeline": [timeline_item(entry).model_dump(mode="json") for entry in timeline],
        "workflow": workflow,
    }
