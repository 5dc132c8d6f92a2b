"""State on disk. One call of the API is one SQLite transaction: its objects, events, journal lines and
remembered answer are all kept, or none of them."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from devstack.emulators.common.journal import Entry, Journal
from devstack.emulators.stripe.model import (
    Charge,
    Dispute,
    PaymentIntent,
    PaymentMethod,
    Refund,
    RememberedAnswer,
    Stored,
    StoredEvent,
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL,
    created REAL NOT NULL, body TEXT NOT NULL, settled INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, endpoint TEXT NOT NULL, fingerprint TEXT NOT NULL, request_id TEXT NOT NULL,
    created REAL NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS journal_tail (line TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), moved REAL NOT NULL);
"""
_KINDS: dict[str, type[Stored]] = {
    kind.__name__: kind for kind in (PaymentMethod, PaymentIntent, Charge, Refund, Dispute)
}
T = TypeVar("T", PaymentMethod, PaymentIntent, Charge, Refund, Dispute)


@dataclass
class Changes:
    """What one call, or one due task, did."""

    objects: dict[str, Stored] = field(default_factory=dict)
    events: list[StoredEvent] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


class Store:
    """Objects live in memory and are written through; events and answers are read from SQLite.

    `journal_tail` holds the journal lines of the last transaction, so that a kill between the commit and
    the journal's line loses none: they are written at the next start.
    """

    def __init__(self, path: Path, journal: Journal) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(_SCHEMA)
        self._journal = journal
        self._objects: dict[type[Stored], dict[str, Stored]] = {kind: {} for kind in _KINDS.values()}
        for kind, body in self._db.execute("SELECT kind, body FROM objects ORDER BY seq"):
            stored = _KINDS[kind](**json.loads(body))
            self._objects[type(stored)][stored.id] = stored
        self._catch_up_journal()

    def get(self, kind: type[T], object_id: str) -> T | None:
        stored = self._objects[kind].get(object_id)
        return stored if isinstance(stored, kind) else None

    def find(self, object_id: str) -> Stored | None:
        return next((known[object_id] for known in self._objects.values() if object_id in known), None)

    def all(self, kind: type[T]) -> list[T]:
        """Oldest first."""
        return [stored for stored in self._objects[kind].values() if isinstance(stored, kind)]

    def commit(self, changes: Changes, answer: RememberedAnswer | None = None) -> None:
        with self._transaction():
            self._write_objects(changes.objects.values())
            self._db.executemany(
                "INSERT INTO events (id, type, created, body, settled) VALUES (?, ?, ?, ?, 0)",
                [(e.id, e.type, e.created, json.dumps(e.body)) for e in changes.events],
            )
            if changes.entries:
                self._db.execute("DELETE FROM journal_tail")
                lines = [(json.dumps(entry),) for entry in changes.entries]
                self._db.executemany("INSERT INTO journal_tail VALUES (?)", lines)
            if answer is not None:
                row = (answer.key, answer.endpoint, answer.fingerprint, answer.request_id)
                row_end = (answer.created, answer.status, answer.body)
                self._db.execute("REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", row + row_end)
        for entry in changes.entries:
            self._journal.write(entry)

    def answer(self, key: str) -> RememberedAnswer | None:
        row = self._db.execute("SELECT * FROM answers WHERE key = ?", (key,)).fetchone()
        return RememberedAnswer(*row) if row else None

    def event(self, event_id: str) -> StoredEvent | None:
        return next(self._events("WHERE id = ?", (event_id,)), None)

    def events(self, types: Sequence[str] = ()) -> Iterator[StoredEvent]:
        """Newest first; all types where none is given."""
        marks = ",".join("?" * len(types))
        return self._events(f"WHERE type IN ({marks})" if types else "", types, "DESC")

    def unsettled_events(self) -> list[StoredEvent]:
        return list(self._events("WHERE settled = 0", ()))

    def settle_event(self, event_id: str) -> None:
        self._db.execute("UPDATE events SET settled = 1 WHERE id = ?", (event_id,))

    def clock_offset(self) -> float:
        row: tuple[float] | None = self._db.execute("SELECT moved FROM clock").fetchone()
        return row[0] if row else 0.0

    def keep_clock_offset(self, offset: float) -> None:
        self._db.execute("REPLACE INTO clock VALUES (1, ?)", (offset,))

    def close(self) -> None:
        self._db.close()

    def _transaction(self) -> sqlite3.Connection:
        self._db.execute("BEGIN")
        return self._db

    def _write_objects(self, objects: Iterable[Stored]) -> None:
        for stored in objects:
            self._objects[type(stored)][stored.id] = stored
            self._db.execute(
                "INSERT INTO objects (id, kind, body) VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                (stored.id, type(stored).__name__, json.dumps(asdict(stored))),
            )

    def _events(self, where: str, values: Sequence[str], order: str = "ASC") -> Iterator[StoredEvent]:
        query = f"SELECT id, type, created, body, settled FROM events {where} ORDER BY seq {order}"  # noqa: S608
        for event_id, kind, created, body, settled in self._db.execute(query, tuple(values)):
            yield StoredEvent(event_id, kind, created, json.loads(body), bool(settled))

    def _catch_up_journal(self) -> None:
        seen = self._journal.last_seq
        for (line,) in self._db.execute("SELECT line FROM journal_tail ORDER BY rowid").fetchall():
            entry: Entry = json.loads(line)
            seq = entry["seq"]
            if isinstance(seq, int) and seq > seen:
                self._journal.write(entry)
