"""AWS emulators: ministack for the stack, moto as the second opinion in the adapters' tests."""

from __future__ import annotations

import os
import sys
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from devstack import ports
from devstack.errors import StackError
from devstack.processes import Child, Launch

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ministack:
    """Keeps its state in `data_dir`, written when it stops in peace: after a SIGKILL it comes back with
    what it had at its last orderly stop."""

    data_dir: Path
    port: int
    log: Path
    keep: bool = True

    @property
    def endpoint(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    @property
    def has_state(self) -> bool:
        """Whether it stopped in peace before, with a user pool in its state."""
        return (self.data_dir / "state" / "cognito.json").exists()

    def launch(self) -> Launch:
        temporary = self.data_dir / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        environment = {
            # By default the emulator listens on all interfaces, and its MQTT port ignores BIND_HOST.
            "BIND_HOST": ports.HOST,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": ports.HOST,
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1" if self.keep else "0",
            "STATE_DIR": str(self.data_dir / "state"),
            "S3_PERSIST": "1" if self.keep else "0",
            "S3_DATA_DIR": str(self.data_dir / "s3"),
            "TMPDIR": str(temporary),
            "DOCKER_HOST": f"unix://{temporary / 'no-docker.sock'}",
            "LOG_LEVEL": "WARNING",
        }
        return Launch(name="aws", argv=[str(binary())], log=self.log, env=environment)

    def start(self) -> Child:
        child = Child(self.launch())
        self.wait_ready(child)
        return child

    def wait_ready(self, child: Child) -> None:
        child.wait_ready(lambda: http_ok(f"{self.endpoint}/_ministack/health"))


@dataclass(frozen=True)
class Moto:
    """Wide but not safe under concurrent conditional writes: for the adapters' tests only."""

    port: int
    log: Path

    @property
    def endpoint(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    def start(self) -> Child:
        argv = [str(Path(sys.executable).with_name("moto_server")), "-H", ports.HOST, "-p", str(self.port)]
        launch = Launch(name="moto", argv=argv, log=self.log, env={"MOTO_ACCOUNT_ID": ACCOUNT_ID})
        child = Child(launch)
        child.wait_ready(lambda: http_ok(f"{self.endpoint}/moto-api/data.json"))
        return child


def http_ok(url: str) -> bool:
    """Whether a GET answers 200 within two seconds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback http only
            return bool(answer.status == 200)
    except (OSError, HTTPException):
        return False


def http_text(url: str) -> str:
    """The body of a GET, empty if it does not answer 200 within two seconds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback http only
            return bytes(answer.read()).decode() if answer.status == 200 else ""
    except (OSError, HTTPException):
        return ""


def binary() -> Path:
    """ministack lives in an environment of its own, since it pins botocore."""
    home = Path(os.environ.get("DEVSTACK_AWS_VENV", _ROOT / ".venv-aws"))
    path = home / "bin" / "ministack"
    if not path.exists():
        raise StackError(f"the AWS emulator is missing at {path}: `make .venv-aws/.installed` installs it")
    return path
