"""`commerce doctor`: whether the books hold."""

from typing import TYPE_CHECKING, Annotated

import typer

from commerce.cli.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commerce.domain.messaging import InvariantResult

_ROWS_SHOWN = 10


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False) -> None:
    """Check the books against what must always hold, and against the payment provider's journal.

    The invariants are those of GET /v1/admin/invariants; beside them, where the provider is the local
    emulator, money taken and given back must be equal on both sides. Exit code 1 if anything is broken.
    """
    from datetime import UTC, datetime

    from commerce.cli.checks import check_books
    from commerce.cli.out import print_json, remarks
    from commerce.cli.running import run
    from commerce.cli.settings import load

    settings = load()
    with remarks().status("reading the books") as status:
        results = run(check_books(settings, lambda what: status.update(f"checking {what}")))
    if json:
        print_json({"items": list(results), "checked_at": datetime.now(UTC)})
    else:
        _print(results)
    if not all(result.ok for result in results):
        raise typer.Exit(Exit.FOUND)


def _print(results: "Sequence[InvariantResult]") -> None:
    from rich.table import Table

    from commerce.cli.out import answers

    console = answers()
    table = Table("Must hold", "Area", "")
    for result in results:
        table.add_row(result.name, result.area, "[green]ok[/]" if result.ok else "[red]broken[/]")
    console.print(table)
    for result in results:
        if result.rows:
            console.print(_offenders(result))
    broken = sum(not result.ok for result in results)
    console.print("The books hold." if not broken else f"[red]{broken} of {len(results)} are broken.[/]")


def _offenders(result: "InvariantResult") -> object:
    from rich.markup import escape
    from rich.table import Table

    table = Table(*result.rows[0], title=f"{result.name}: {len(result.rows)} found", title_style="red")
    for row in result.rows[:_ROWS_SHOWN]:
        table.add_row(*(escape(str(value)) for value in row.values()))
    if len(result.rows) > _ROWS_SHOWN:
        table.caption = f"{len(result.rows) - _ROWS_SHOWN} more; --json has them"
    return table
