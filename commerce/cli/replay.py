"""`commerce replay` and `commerce record`: whether running orders can live on under this build."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commerce.cli.errors import CommandError, Exit

if TYPE_CHECKING:
    from commerce.cli.replaying import Outcome

HISTORIES = Path("tests/replay/histories")


def register(app: typer.Typer) -> None:
    app.command()(replay)
    app.command()(record)


def replay(
    *,
    folder: Annotated[
        Path, typer.Option("--dir", help="Recorded histories, *.json, of all releases below it.")
    ] = HISTORIES,
    live: Annotated[
        bool | None,
        typer.Option(
            "--live/--no-live",
            help="Also replay histories of the running server; without either, if there is one.",
            show_default=False,
        ),
    ] = None,
    query: Annotated[
        str, typer.Option(help="Temporal list filter of the live ones, such as OrderStatus='Shipped'.")
    ] = "",
    since: Annotated[
        str, typer.Option(help="Live ones started since: 90m, 24h, 7d, or an RFC 3339 time.")
    ] = "30d",
    limit: Annotated[int, typer.Option(min=1, help="At most so many live ones, newest first.")] = 500,
    json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Replay histories against this build's workflows: the gate before a deploy.

    Exit code 1, with the workflow's id and the first difference, if a running order could not go on.
    """
    from commerce.cli.replay_runs import replay_live, replay_recorded
    from commerce.cli.running import run

    outcomes = {"recorded": run(replay_recorded(folder, quiet=json))}
    found = None if live is False else run(replay_live(query, since, limit, must=live is True, quiet=json))
    if found is not None:
        outcomes["live"] = found
    _report(outcomes, as_json=json)
    if not all(outcome.ok for outcome in outcomes.values()):
        raise typer.Exit(Exit.FOUND)


def record(
    *,
    name: Annotated[
        str | None, typer.Option(help="Name of the story: happy, declined, …", show_default=False)
    ] = None,
    workflow_id: Annotated[
        list[str] | None, typer.Option(help="A workflow to record, all its runs; may be repeated.")
    ] = None,
    order: Annotated[
        str | None, typer.Option(help="Record this order's workflow, payment, parcels and messages.")
    ] = None,
    stories: Annotated[
        bool,
        typer.Option("--stories", help="Play all stories on the local stack and record each: 3 minutes."),
    ] = False,
    folder: Annotated[Path, typer.Option("--dir", help="Where histories are kept.")] = HISTORIES,
    release: Annotated[
        str | None, typer.Option(help="The release they come from; this build's if left out.")
    ] = None,
) -> None:
    """Store histories of the running server as <dir>/<release>/<name>.json, opened and in a stable form."""
    from commerce.cli.replay_runs import record_histories, record_stories
    from commerce.cli.running import run

    if stories:
        written = run(record_stories(folder, release))
    elif name and (workflow_id or order):
        written = [run(record_histories(name, workflow_id or [], order, folder, release))]
    else:
        raise CommandError("say what to record: --name with --order or --workflow-id", Exit.CONFIGURATION)
    for path, count in written:
        print(f"{path}: {count} {'history' if count == 1 else 'histories'}")


def _report(outcomes: "dict[str, Outcome]", *, as_json: bool) -> None:
    from commerce.cli.out import answers, print_json

    if as_json:
        print_json(outcomes)
        return
    console = answers()
    for kind, outcome in outcomes.items():
        mark = "[green]ok[/]" if outcome.ok else f"[red]{len(outcome.failures)} differ[/]"
        console.print(f"{kind}: {outcome.replayed} histories replayed, {mark}")
        for failure in outcome.failures:
            console.print(f"  {failure.workflow_id} ({failure.workflow_type}, run {failure.run_id})")
            console.print(f"    {failure.difference}", markup=False, soft_wrap=True)
