"""Our own provider emulators (Stripe, carriers) as separate processes."""

from __future__ import annotations

import sys
import urllib.request
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from devstack import ports
from devstack.processes import Child, Launch
from devstack.servers.aws import http_ok


class Provider(StrEnum):
    STRIPE = "stripe"
    CARRIER = "carrier"


@dataclass(frozen=True)
class Emulator:
    """One provider: its data and journal live in `data_dir`, its webhooks go to `webhook_url`."""

    provider: Provider
    port: int
    data_dir: Path
    log: Path
    webhook_url: str
    webhook_secret: str
    api_key: str

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    @property
    def journal(self) -> Path:
        """Append-only, one JSON object a line for every accepted effect."""
        return self.data_dir / "journal.jsonl"

    def launch(self) -> Launch:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        options = {
            "host": ports.HOST,
            "port": str(self.port),
            "data-dir": str(self.data_dir),
            "webhook-url": self.webhook_url,
            "webhook-secret": self.webhook_secret,
            "api-key": self.api_key,
        }
        arguments = [f"--{key}={value}" for key, value in options.items()]
        return Launch(
            name=self.provider.value,
            argv=[sys.executable, "-m", f"devstack.emulators.{self.provider.value}", *arguments],
            log=self.log,
            cwd=Path(__file__).resolve().parents[2],
        )

    def start(self) -> Child:
        child = Child(self.launch())
        self.wait_ready(child)
        return child

    def wait_ready(self, child: Child) -> None:
        child.wait_ready(lambda: http_ok(f"{self.url}/_emulator/health"))

    def reset(self) -> None:
        """Forget planted faults and webhook modes; accepted effects stay."""
        for path in ("faults", "webhooks/modes"):
            request = urllib.request.Request(f"{self.url}/_emulator/{path}", method="DELETE")  # noqa: S310 - loopback
            with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - loopback
                pass
