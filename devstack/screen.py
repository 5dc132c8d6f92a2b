"""What the person at the terminal sees: a line per step, then one screen, then news."""

from __future__ import annotations

import time
from contextlib import suppress

from rich.console import Console
from rich.table import Table

from devstack.cognito import PEOPLE, email_of
from devstack.environment import Addresses
from devstack.home import Home


class Screen:
    """Writes to a terminal or a pipe; a reader that went away stops nothing."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._began = time.monotonic()

    def step(self, name: str, seconds: float, where: str) -> None:
        self._print(f"[green]✓[/] {name:<12}{seconds:5.1f} s  [dim]{where}[/]")

    def note(self, text: str) -> None:
        self._print(f"[dim]{text}[/]")

    def warn(self, text: str) -> None:
        self._print(f"[yellow]![/] {text}")

    def fail(self, text: str) -> None:
        self._print(f"[red]✗[/] {text}")

    def overview(self, home: Home, at: Addresses, password: str) -> None:
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        emails = ", ".join(email_of(person) for person in PEOPLE)
        for row in (
            ("Gateway", at.http("gateway")),
            ("API docs", f"{at.http('gateway')}/docs"),
            ("Temporal UI", at.http("temporal_ui")),
            ("Readable by", f"{at.codec}/sign-in"),
            ("Sign in as", emails),
            ("Password", password),
            ("Token", ".venv/bin/commerce token --as ROLE"),
            ("Addresses", str(home.endpoints)),
            ("Logs", str(home.logs)),
            ("Stop", "Ctrl-C, or `make stop` elsewhere; data stays until `make clean`"),
        ):
            table.add_row(*row)
        self._print("")
        with suppress(OSError):
            self._console.print(table)
        self._print(f"\n[green]Up in {time.monotonic() - self._began:.1f} s.[/]")

    def _print(self, text: str) -> None:
        with suppress(OSError):
            self._console.print(text, soft_wrap=True)
