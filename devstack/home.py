"""The folder `.devstack/`: all that the local stack writes."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from devstack.errors import StackError

PROJECT = Path(__file__).resolve().parents[1]
DISK_NEEDED = 1 << 30
"""Bytes that must be free before anything is started: a full disk corrupts nothing, but stops everything."""

_LOG_LIMIT = 20 << 20


@dataclass(frozen=True)
class Home:
    """Paths of one stack. Two checkouts, or two values of `DEVSTACK_DIR`, are two stacks."""

    folder: Path

    @classmethod
    def find(cls) -> Home:
        chosen = os.environ.get("DEVSTACK_DIR")
        return cls(Path(chosen).resolve() if chosen else PROJECT / ".devstack")

    @property
    def ports(self) -> Path:
        return self.folder / "ports.json"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets.json"

    @property
    def processes(self) -> Path:
        return self.folder / "processes.json"

    @property
    def endpoints(self) -> Path:
        return self.folder / "endpoints.json"

    @property
    def env(self) -> Path:
        return self.folder / "env"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def data(self, name: str) -> Path:
        return self.folder / "data" / name

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def create(self, disk_needed: int = DISK_NEEDED) -> None:
        """Make the folder, private to its owner. Raises StackError when it can't be or the disk is full."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.logs.mkdir(exist_ok=True)
        except OSError as error:
            raise StackError(f"cannot create {self.folder}: {error.strerror}") from error
        if not os.access(self.folder, os.W_OK):
            raise StackError(f"{self.folder} belongs to somebody else and cannot be written")
        free = shutil.disk_usage(self.folder).free
        if free < disk_needed:
            raise StackError(
                f"too little disk space at {self.folder}: "
                f"{free >> 20} MiB free, {disk_needed >> 20} MiB needed"
            )

    def rotate_logs(self) -> None:
        """Keep one older file of a log that has grown large."""
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > _LOG_LIMIT:
                log.replace(log.with_suffix(".log.1"))

    def lock(self) -> int | None:
        """Hold the folder for this process's life; None if another stack runs in it."""
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return descriptor


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner only: a reader sees the old text or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        draft.unlink()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
