"""What the stack tells others: settings as environment variables, and where everything is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeAlias

from devstack import cognito
from devstack.aws_resources import CART_TABLE, MAIL_SENDER, TOPIC_PREFIX
from devstack.cognito import UserPool
from devstack.credentials import Credentials
from devstack.errors import StackError
from devstack.home import Home, write_private
from devstack.leftovers import Record
from devstack.ports import HOST
from devstack.servers.aws import REGION
from devstack.servers.postgres import APP, DATABASE, OWNER, READONLY
from devstack.servers.temporal import NAMESPACE

PORT_NAMES = (
    *("postgres", "valkey", "temporal", "temporal_ui", "temporal_http", "temporal_metrics", "aws"),
    *("stripe", "carrier", "gateway", "gateway_metrics", "worker_metrics"),
)
SUPERVISOR = "supervisor"

Endpoints: TypeAlias = dict[str, str | dict[str, str]]

_DRAIN_SECONDS = 5
"""Below the eight seconds after which a part is killed."""

_OPERATORS_ONLY = ("COMMERCE_DATABASE_OWNER_URL", "COMMERCE_DATABASE_READONLY_URL")


@dataclass(frozen=True)
class Addresses:
    """URLs of one stack, from its ports."""

    ports: dict[str, int]

    def http(self, name: str) -> str:
        return f"http://{HOST}:{self.ports[name]}"

    def database(self, role: str, credentials: Credentials) -> str:
        password = credentials.postgres.of(role)
        return f"postgresql+psycopg://{role}:{password}@{HOST}:{self.ports['postgres']}/{DATABASE}"

    @property
    def valkey(self) -> str:
        return f"redis://{HOST}:{self.ports['valkey']}/0"

    @property
    def temporal(self) -> str:
        return f"{HOST}:{self.ports['temporal']}"

    @property
    def stripe_webhook(self) -> str:
        return f"{self.http('gateway')}/v1/webhooks/stripe"

    @property
    def carrier_webhook(self) -> str:
        return f"{self.http('gateway')}/v1/webhooks/carriers/easypost"

    @property
    def codec(self) -> str:
        return f"{self.http('gateway')}/codec"


def settings(at: Addresses, credentials: Credentials, pool: UserPool) -> dict[str, str]:
    """Everything a process of the shop, or a person at the command line, may need."""
    ours = {
        "MODE": "development",
        "DATABASE_URL": at.database(APP, credentials),
        "DATABASE_OWNER_URL": at.database(OWNER, credentials),
        "DATABASE_READONLY_URL": at.database(READONLY, credentials),
        "VALKEY_URL": at.valkey,
        "TEMPORAL_ADDRESS": at.temporal,
        "TEMPORAL_NAMESPACE": NAMESPACE,
        "TEMPORAL_UI_URL": at.http("temporal_ui"),
        "CODEC_KEYS": credentials.codec_key,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": at.http("aws"),
        "COGNITO_USER_POOL_ID": pool.id,
        "COGNITO_CLIENT_ID": pool.client_id,
        "COGNITO_ISSUER": pool.issuer,
        "COGNITO_JWKS_URL": pool.jwks_url,
        "CART_TABLE": CART_TABLE,
        "SNS_TOPIC_PREFIX": TOPIC_PREFIX,
        "MAIL_SENDER": MAIL_SENDER,
        "STRIPE_API_BASE": at.http("stripe"),
        "STRIPE_SECRET_KEY": credentials.stripe_secret_key,
        "STRIPE_WEBHOOK_SECRET": credentials.stripe_webhook_secret,
        "CARRIER_API_BASE": f"{at.http('carrier')}/v2",
        "CARRIER_API_KEY": credentials.carrier_api_key,
        "CARRIER_WEBHOOK_SECRET": credentials.carrier_webhook_secret,
        "GATEWAY_HOST": HOST,
        "GATEWAY_PORT": str(at.ports["gateway"]),
        "GATEWAY_METRICS_PORT": str(at.ports["gateway_metrics"]),
        "WORKER_METRICS_PORT": str(at.ports["worker_metrics"]),
        "PUBLIC_URL": at.http("gateway"),
        "DRAIN_SECONDS": str(_DRAIN_SECONDS),
    }
    return {**{f"COMMERCE_{name}": value for name, value in ours.items()}, **AWS_IDENTITY}


AWS_IDENTITY = {
    "AWS_ACCESS_KEY_ID": "dev",
    "AWS_SECRET_ACCESS_KEY": "dev",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
"""Complete, so that no client ever reaches for the developer's own account."""


def for_serving(complete: dict[str, str]) -> dict[str, str]:
    """For gateway and worker: without the database roles they must not have."""
    return {name: value for name, value in complete.items() if name not in _OPERATORS_ONLY}


def write_env(home: Home, complete: dict[str, str]) -> None:
    write_private(home.env, "".join(f"{name}={value}\n" for name, value in complete.items()))


def write_endpoints(
    home: Home, at: Addresses, credentials: Credentials, pool: UserPool, queues: dict[str, str]
) -> Endpoints:
    """Where everything is, with fresh tokens of all demo people; written last, when all of it is up."""
    tokens = {p: cognito.sign_in(at.http("aws"), pool.id, pool.client_id, p) for p in cognito.PEOPLE}
    endpoints: Endpoints = {
        "gateway": at.http("gateway"),
        "docs": f"{at.http('gateway')}/docs",
        "temporal": at.temporal,
        "temporal_ui": at.http("temporal_ui"),
        "namespace": NAMESPACE,
        "database_url": at.database(APP, credentials).replace("+psycopg", "", 1),
        "valkey_url": at.valkey,
        "aws_endpoint": at.http("aws"),
        "stripe_api": at.http("stripe"),
        "stripe_journal": str(home.data("stripe") / "journal.jsonl"),
        "stripe_webhook_secret": credentials.stripe_webhook_secret,
        "carrier_api": at.http("carrier"),
        "tokens": tokens,
        "carrier_journal": str(home.data("carrier") / "journal.jsonl"),
        "carrier_webhook_secret": credentials.carrier_webhook_secret,
        "gateway_metrics": f"{at.http('gateway_metrics')}/metrics",
        "worker_metrics": f"{at.http('worker_metrics')}/metrics",
        "queues": queues,
        "env": str(home.env),
        "logs": str(home.logs),
        "processes": str(home.processes),
    }
    write_private(home.endpoints, json.dumps(endpoints, indent=2) + "\n")
    return endpoints


def running_endpoints(home: Home | None = None) -> Endpoints | None:
    """The endpoints of the stack that is up, None when there is none."""
    home = home or Home.find()
    supervisor = Record(home.processes).read().get(SUPERVISOR)
    if supervisor is None or not supervisor.alive or not home.endpoints.exists():
        return None
    found = json.loads(home.endpoints.read_text())
    if not isinstance(found, dict):
        raise StackError(f"{home.endpoints} is damaged; start the stack again")
    return found
