"""Temporal's dev server with its web UI, as a direct child."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devstack import ports
from devstack.errors import StackError
from devstack.processes import Child, Launch

NAMESPACE = "default"
RETENTION_DAYS = 90
"""Longer than the returns window: support finds an order's history as long as goods can come back."""

_DYNAMIC_CONFIG = {
    # One history shard polls 20 times a second by default, so every step of an idle server waits 50 ms.
    "history.transferProcessorMaxPollRPS": "200",
    "history.timerProcessorMaxPollRPS": "200",
}


@dataclass(frozen=True)
class TemporalPorts:
    grpc: int
    ui: int
    http: int
    metrics: int


@dataclass(frozen=True)
class Temporal:
    """The server, file-backed. `codec_endpoint` is where the web UI has payloads decrypted."""

    db_file: Path
    at: TemporalPorts
    log: Path
    search_attributes: Mapping[str, str] = field(default_factory=dict)
    codec_endpoint: str | None = None
    headless: bool = False
    time_skipping: bool = False
    dynamic_config: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"{ports.HOST}:{self.at.grpc}"

    @property
    def ui_url(self) -> str:
        return f"http://{ports.HOST}:{self.at.ui}"

    def launch(self) -> Launch:
        self.db_file.parent.mkdir(parents=True, exist_ok=True)
        arguments = [
            *("--ip", ports.HOST, "--port", str(self.at.grpc), "--http-port", str(self.at.http)),
            *("--metrics-port", str(self.at.metrics), "--db-filename", str(self.db_file)),
            *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"),
            *("--log-level", "warn"),
            *self._ui_arguments(),
            *self.server_options(),
        ]
        return Launch(name="temporal", argv=[str(binary()), "server", "start-dev", *arguments], log=self.log)

    def server_options(self) -> list[str]:
        """Poll rates, time skipping and search attributes; a test environment that starts the server
        by itself passes them as `dev_server_extra_args`."""
        config = {**_DYNAMIC_CONFIG, **self.dynamic_config}
        if self.time_skipping:
            config["frontend.WorkflowTimeSkippingEnabled"] = "true"
        options = [p for key, value in config.items() for p in ("--dynamic-config-value", f"{key}={value}")]
        for name, kind in self.search_attributes.items():
            options += ["--search-attribute", f"{name}={kind}"]
        return options

    def _ui_arguments(self) -> list[str]:
        if self.headless:
            return ["--headless"]
        codec = ["--ui-codec-endpoint", self.codec_endpoint] if self.codec_endpoint else []
        return ["--ui-port", str(self.at.ui), "--ui-disable-news-fetch", *codec]

    def start(self) -> Child:
        child = Child(self.launch())
        self.wait_ready(child)
        return child

    def wait_ready(self, child: Child) -> None:
        child.wait_ready(self._set_retention)
        self._register_search_attributes()

    def _set_retention(self) -> bool:
        """Succeeds as soon as the namespace is served; the dev server has no flag for retention."""
        if not ports.answers(self.at.grpc):
            return False
        return self._operator("namespace", "update", "--retention", f"{RETENTION_DAYS * 24}h")

    def _register_search_attributes(self) -> None:
        """The server's flag is heeded for a new file only; a later attribute is added here."""
        record = self.db_file.with_suffix(".attributes.json")
        known = json.loads(record.read_text()) if record.exists() else {}
        for name, kind in self.search_attributes.items():
            if known.get(name, kind) != kind:
                raise StackError(f"search attribute {name} changed its type; `make clean` starts afresh")
        if known and (missing := self.search_attributes.keys() - known.keys()):
            options = [p for n in sorted(missing) for p in ("--name", n, "--type", self.search_attributes[n])]
            if not self._operator("search-attribute", "create", *options):
                raise StackError(f"Temporal refused the search attributes {', '.join(sorted(missing))}")
        record.write_text(json.dumps({**known, **self.search_attributes}))

    def _operator(self, *arguments: str) -> bool:
        command = [str(binary()), "operator", *arguments, "--namespace", NAMESPACE, "--address", self.address]
        try:
            return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0
        except subprocess.TimeoutExpired:
            return False


def binary() -> Path:
    beside = Path(sys.executable).with_name("temporal")
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if found is None:
        raise StackError(f"Temporal is missing: no `temporal` beside {sys.executable} or on the PATH")
    return Path(found)
