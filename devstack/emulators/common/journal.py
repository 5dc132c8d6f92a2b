"""Append-only record of every accepted effect, one JSON object a line."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from devstack.emulators.common.jsonvalue import JSON

Entry: TypeAlias = dict[str, JSON]


class Journal:
    """Lines are flushed to the kernel, not to the disk: they outlive the process, not a power cut.

    Every entry has `seq` (1, 2, … over all runs), `time` (Unix seconds), `kind` and `order_id`.
    A line torn by a crash of the machine is closed and skipped, never rewritten.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        path.parent.mkdir(parents=True, exist_ok=True)
        self.last_seq = max((_seq(entry) for entry in self._read()), default=0)
        self._next_seq = self.last_seq + 1
        self._file = path.open("a", encoding="utf-8")
        if _ends_torn(path):
            self._file.write("\n")
            self._file.flush()

    def build(self, kind: str, order_id: str | None = None, **fields: JSON) -> Entry:
        """Number an entry without writing it, so that it can be committed with its cause first."""
        entry: Entry = {"seq": self._next_seq, "time": self._clock(), "kind": kind, "order_id": order_id}
        entry.update(fields)
        self._next_seq += 1
        return entry

    def write(self, entry: Entry) -> None:
        self._file.write(json.dumps(entry, separators=(",", ":")) + "\n")
        self._file.flush()
        self.last_seq = max(self.last_seq, _seq(entry))
        self._next_seq = max(self._next_seq, self.last_seq + 1)

    def append(self, kind: str, order_id: str | None = None, **fields: JSON) -> Entry:
        entry = self.build(kind, order_id, **fields)
        self.write(entry)
        return entry

    def entries(self, order_id: str | None = None) -> list[Entry]:
        return [entry for entry in self._read() if order_id is None or entry.get("order_id") == order_id]

    def close(self) -> None:
        self._file.close()

    def _read(self) -> Iterator[Entry]:
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:
                    continue
                if isinstance(entry, dict):
                    yield entry


def _seq(entry: Entry) -> int:
    seq = entry.get("seq")
    return seq if isinstance(seq, int) else 0


def _ends_torn(path: Path) -> bool:
    if path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
