"""The parts of the stack, in the order in which they are started; stopped the other way round."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

from devstack import ports
from devstack.credentials import Credentials
from devstack.environment import Addresses, for_serving
from devstack.errors import StackError
from devstack.home import PROJECT, Home
from devstack.processes import Child, Launch
from devstack.servers import aws, postgres, temporal, valkey
from devstack.servers.aws import Ministack, http_ok, http_text
from devstack.servers.emulators import Emulator, Provider
from devstack.servers.postgres import Postgres
from devstack.servers.temporal import Temporal, TemporalPorts
from devstack.servers.valkey import Valkey

ORDER = ("postgres", "valkey", "temporal", "aws", "stripe", "carrier", "worker", "gateway")


@dataclass(frozen=True)
class Part:
    """`launch` is called anew for every start; `wait_ready` may block, raising StackError."""

    name: str
    where: str
    launch: Callable[[], Launch]
    wait_ready: Callable[[Child], None]


@dataclass(frozen=True)
class Servers:
    """All but worker and gateway, which need the settings that come of these."""

    postgres: Postgres
    valkey: Valkey
    temporal: Temporal
    aws: Ministack
    stripe: Emulator
    carrier: Emulator

    def parts(self) -> list[Part]:
        return [
            Part("postgres", _at(self.postgres.port), self.postgres.launch, self.postgres.wait_ready),
            Part("valkey", _at(self.valkey.port), self.valkey.launch, self.valkey.wait_ready),
            Part("temporal", self.temporal.address, self.temporal.launch, self.temporal.wait_ready),
            Part("aws", self.aws.endpoint, self.aws.launch, self.aws.wait_ready),
            Part("stripe", self.stripe.url, self.stripe.launch, self.stripe.wait_ready),
            Part("carrier", self.carrier.url, self.carrier.launch, self.carrier.wait_ready),
        ]


def servers(home: Home, at: Addresses, credentials: Credentials) -> Servers:
    from commerce.contracts.search import SEARCH_ATTRIBUTES  # noqa: PLC0415 - emulators never load commerce

    port = at.ports
    temporal_ports = TemporalPorts(
        port["temporal"], port["temporal_ui"], port["temporal_http"], port["temporal_metrics"]
    )
    return Servers(
        postgres=Postgres(
            home.data("postgres"), port["postgres"], credentials.postgres, home.log("postgres")
        ),
        valkey=Valkey(home.data("valkey"), port["valkey"], home.log("valkey")),
        temporal=Temporal(
            db_file=home.data("temporal") / "temporal.db",
            at=temporal_ports,
            log=home.log("temporal"),
            search_attributes=SEARCH_ATTRIBUTES,
            codec_endpoint=at.codec,
        ),
        aws=Ministack(home.data("aws"), port["aws"], home.log("aws")),
        stripe=Emulator(
            provider=Provider.STRIPE,
            port=port["stripe"],
            data_dir=home.data("stripe"),
            log=home.log("stripe"),
            webhook_url=at.stripe_webhook,
            webhook_secret=credentials.stripe_webhook_secret,
            api_key=credentials.stripe_secret_key,
        ),
        carrier=Emulator(
            provider=Provider.CARRIER,
            port=port["carrier"],
            data_dir=home.data("carrier"),
            log=home.log("carrier"),
            webhook_url=at.carrier_webhook,
            webhook_secret=credentials.carrier_webhook_secret,
            api_key=credentials.carrier_api_key,
        ),
    )


def worker(home: Home, at: Addresses, settings: dict[str, str]) -> Part:
    launch = _python(home, "worker", ["worker.py", "--queues", "all"], settings)
    metrics = f"{at.http('worker_metrics')}/metrics"

    def polls() -> bool:
        # The metrics answer from the first connection on; a poller says that the checks have passed.
        return "temporal_num_pollers" in http_text(metrics)

    return Part("worker", metrics, lambda: launch, lambda child: child.wait_ready(polls))


def gateway(home: Home, at: Addresses, settings: dict[str, str]) -> Part:
    launch = _python(home, "gateway", ["-m", "api"], settings)
    ready = f"{at.http('gateway')}/readyz"
    return Part(
        "gateway", at.http("gateway"), lambda: launch, lambda child: child.wait_ready(lambda: http_ok(ready))
    )


def require_programs() -> None:
    """Raises StackError for a program that is missing, before anything is started."""
    if sys.platform != "linux":
        raise StackError("the local stack needs Linux: it ties its processes together by the kernel's means")
    for name in ("initdb", "postgres"):
        postgres.binary(name)
    for program in (valkey.binary, temporal.binary, aws.binary):
        program()
    for file in ("worker.py", "api/__main__.py", "devstack/emulators/stripe/__main__.py"):
        if not (PROJECT / file).exists():
            raise StackError(f"{file} is missing from {PROJECT}")


def _at(port: int) -> str:
    return f"{ports.HOST}:{port}"


def _python(home: Home, name: str, arguments: list[str], settings: dict[str, str]) -> Launch:
    return Launch(
        name=name,
        argv=[sys.executable, *arguments],
        log=home.log(name),
        env={**for_serving(settings), "PYTHONUNBUFFERED": "1"},
        cwd=PROJECT,
        # Without the stack there is nothing left to drain into.
        death_signal=signal.SIGKILL,
    )
