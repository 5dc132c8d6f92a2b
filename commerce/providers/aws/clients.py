"""boto3 for asyncio: one client per service, its calls in a bounded pool of threads of that service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from commerce.providers.aws.failures import sort

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient

C = TypeVar("C")
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class AwsConfig:
    """Production differs by its endpoints alone; `endpoints` overrides by service (dynamodb, sns, ses).

    Times in seconds; an activity's start-to-close must exceed both together.
    """

    region: str
    endpoint: str | None = None
    endpoints: Mapping[str, str | None] = field(default_factory=dict)
    connect_timeout: float = 2.0
    read_timeout: float = 5.0
    threads: int = 8
    """Per service, so that a silent mail service holds up no cart."""


class Service(Generic[C]):
    """A client and its threads."""

    def __init__(self, name: str, client: C, threads: int) -> None:
        self.client = client
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"aws-{name}")

    async def read(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises ProviderUnavailable, ProviderRefused."""
        return await self._run(partial(call, *args, **kwargs), effect=False)

    async def write(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises ProviderError's three kinds. A cancelled call may still have its effect."""
        return await self._run(partial(call, *args, **kwargs), effect=True)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, call: Callable[[], T], *, effect: bool) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        except (BotoCoreError, ClientError) as error:
            raise sort(error, effect=effect) from error


class AwsClients:
    """Makes a service's client when it is first asked for; retries are Temporal's, botocore tries once."""

    def __init__(self, config: AwsConfig) -> None:
        self._config = config
        self._session = boto3.Session(region_name=config.region)
        self._services: list[Service[DynamoDBClient] | Service[SNSClient] | Service[SESV2Client]] = []
        self._options = Config(
            retries={"total_max_attempts": 1},
            connect_timeout=config.connect_timeout,
            read_timeout=config.read_timeout,
            max_pool_connections=config.threads,
        )

    @cached_property
    def dynamodb(self) -> Service[DynamoDBClient]:
        client = self._session.client(
            "dynamodb", endpoint_url=self._endpoint("dynamodb"), config=self._options
        )
        service = Service("dynamodb", client, self._config.threads)
        self._services.append(service)
        return service

    @cached_property
    def sns(self) -> Service[SNSClient]:
        client = self._session.client("sns", endpoint_url=self._endpoint("sns"), config=self._options)
        service = Service("sns", client, self._config.threads)
        self._services.append(service)
        return service

    @cached_property
    def ses(self) -> Service[SESV2Client]:
        client = self._session.client("sesv2", endpoint_url=self._endpoint("ses"), config=self._options)
        service = Service("ses", client, self._config.threads)
        self._services.append(service)
        return service

    def close(self) -> None:
        for service in self._services:
            service.close()
            service.client.close()

    def _endpoint(self, service: str) -> str | None:
        return self._config.endpoints.get(service) or self._config.endpoint
