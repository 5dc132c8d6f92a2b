"""Where commands write: answers to standard output, progress and warnings to standard error."""

import json
import sys
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_PIPE_WIDTH = 160


def answers() -> "Console":
    from rich.console import Console

    # A pipe has no width: ids must not be cut there.
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def remarks() -> "Console":
    from rich.console import Console

    return Console(highlight=False, stderr=True)


def progress_bar(*, quiet: bool = False) -> "Progress":
    """A bar with count and time, on standard error; shown on a terminal only, never with `quiet`."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = remarks()
    return Progress(
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
    )


def print_json(value: object) -> None:
    """Dataclasses as objects, times in RFC 3339; the one thing that `--json` writes to standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
