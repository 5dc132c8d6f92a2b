"""The work of `commerce replay` and `commerce record`."""

import re
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from commerce.cli.errors import CommandError, Exit
from commerce.cli.families import family_of, histories, listed
from commerce.cli.histories import open_history, read_all, write
from commerce.cli.out import progress_bar, remarks
from commerce.cli.replaying import Outcome, one_by_one, plain_converter, replay
from commerce.cli.running import one_line, open_database
from commerce.cli.settings import load
from commerce.cli.temporal import open_client
from commerce.contracts.names import SWEEP_WORKFLOW
from commerce.domain.errors import NotFound, ProviderUnavailable

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_STORY = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


async def replay_recorded(folder: Path, *, quiet: bool) -> Outcome:
    """Raises CommandError when there is nothing to replay: an empty gate lets everything through."""
    recorded = read_all(folder)
    with progress_bar(quiet=quiet) as progress:
        task = progress.add_task("recorded histories", total=len(recorded))
        return await replay(
            one_by_one([item.history for item in recorded]),
            plain_converter(),
            replayed=lambda: progress.advance(task),
        )


async def replay_live(query: str, since: str, limit: int, *, must: bool, quiet: bool) -> Outcome | None:
    """None, with a line that says why, when no server runs and none `must`. Raises ProviderUnavailable."""
    start = parse_since(since, datetime.now(UTC))
    try:
        settings = load()
        client = await open_client(settings)
    except (ProviderUnavailable, CommandError) as missing:
        if must:
            raise
        remarks().print(f"live: not replayed, no server is running ({one_line(missing)})", soft_wrap=True)
        return None
    found = await listed(client, live_filter(query, start), limit)
    with progress_bar(quiet=quiet) as progress:
        task = progress.add_task("live histories", total=len(found))
        return await replay(
            histories(client, found), client.data_converter, replayed=lambda: progress.advance(task)
        )


async def record_histories(
    name: str, workflow_ids: list[str], order_id: str | None, folder: Path, release: str | None
) -> tuple[Path, int]:
    """The file and how many histories it holds. Raises NotFound and CommandError."""
    if not _STORY.fullmatch(name):
        raise CommandError(f"{name!r} is no name of a story: small letters, digits, _", Exit.CONFIGURATION)
    settings = load()
    client = await open_client(settings)
    executions = []
    for workflow_id in workflow_ids:
        runs = await listed(client, f"WorkflowId = '{workflow_id}'")
        if not runs:
            raise NotFound("workflow", workflow_id)
        executions += sorted(runs, key=lambda run: run.start_time)
    if order_id is not None:
        async with open_database(settings) as database, database.reading() as tx:
            view = await tx.orders.view(order_id)
        executions += await family_of(client, view)
    codec = client.data_converter.payload_codec
    opened = [await open_history(history, codec) async for history in histories(client, executions)]
    path = folder / (release or version("cloudcommerce")) / f"{name}.json"
    write(path, opened)
    return path, len(opened)


async def record_stories(folder: Path, release: str | None) -> list[tuple[Path, int]]:
    """Every path an order can take, played anew on the local stack. Raises CommandError."""
    from devstack.demo.shop import Refused
    from devstack.demo.stories import open_stories
    from devstack.errors import StackError

    written = []
    try:
        async with open_stories() as stories:
            played = stories.all()
            with progress_bar() as progress:
                task = progress.add_task("stories", total=len(played))
                for name, play in played.items():
                    order_id = await play()
                    written.append(await record_histories(name, [], order_id, folder, release))
                    progress.advance(task)
    except StackError as error:
        raise CommandError(str(error), Exit.UNREACHABLE) from error
    except Refused as refused:
        raise CommandError(f"the shop refused a story: {refused}", Exit.FOUND) from refused
    return written


def parse_since(text: str, now: datetime) -> datetime:
    """`90m`, `24h`, `7d` before `now`, or an RFC 3339 time. Raises CommandError."""
    span = re.fullmatch(r"(\d{1,6})([mhd])", text)
    if span:
        return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is no time: 90m, 24h, 7d or RFC 3339", Exit.CONFIGURATION) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def live_filter(query: str, since: datetime) -> str:
    """All of the shop's workflows since then but the sweeps, of which there are thousands alike."""
    first = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ours = f"WorkflowType != '{SWEEP_WORKFLOW}' AND StartTime >= '{first}'"
    return f"({query}) AND {ours}" if query else ours
