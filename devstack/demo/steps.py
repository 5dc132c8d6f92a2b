"""What is happening, for whoever waits: bars on a terminal, a line per finished step elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from commerce.cli.out import progress_bar, remarks

Advance = Callable[[], None]


class Steps:
    """Writes to standard error; nothing at all with `quiet`."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = remarks()

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Advance]:
        began = time.monotonic()
        with progress_bar(quiet=self._quiet) as progress:
            task = progress.add_task(name, total=total)
            yield lambda: progress.advance(task)
        if not self._quiet and not self._console.is_terminal:
            self.note(f"{name}: {total} in {time.monotonic() - began:.1f} s")

    def note(self, text: str) -> None:
        if not self._quiet:
            self._console.print(text, markup=False, soft_wrap=True)
