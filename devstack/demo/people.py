"""Customers of the order book as people who can sign in, each under an address of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from devstack.errors import StackError
from devstack.servers.aws import REGION

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


@dataclass(frozen=True)
class Pool:
    """Where people sign in; all demo people share the stack's password."""

    endpoint: str
    id: str
    client_id: str
    password: str


class People:
    """Creates a customer on first sight; one of an earlier run signs in again."""

    def __init__(self, pool: Pool, at_once: int) -> None:
        self._pool = pool
        self._threads = ThreadPoolExecutor(at_once)
        self._cognito: CognitoIdentityProviderClient = boto3.client(
            "cognito-idp",
            endpoint_url=pool.endpoint,
            region_name=REGION,
            aws_access_key_id="dev",
            aws_secret_access_key="dev",  # noqa: S106 - the emulator takes any
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=at_once),
        )

    async def tokens(self, customers: Sequence[str], each: Callable[[], None]) -> dict[str, str]:
        """Access tokens by the book's customer number; `each` is called once per customer.

        Raises StackError when the pool refuses.
        """
        loop = asyncio.get_running_loop()

        async def one(customer: str) -> str:
            token = await loop.run_in_executor(self._threads, self._token, email_of(customer))
            each()
            return token

        try:
            found = await asyncio.gather(*(one(customer) for customer in customers))
        except (BotoCoreError, ClientError) as error:
            raise StackError(f"a customer cannot sign in at {self._pool.endpoint}: {error}") from error
        return dict(zip(customers, found, strict=True))

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _token(self, email: str) -> str:
        try:
            self._cognito.admin_get_user(UserPoolId=self._pool.id, Username=email)
        except self._cognito.exceptions.UserNotFoundException:
            self._create(email)
        answer = self._cognito.initiate_auth(
            ClientId=self._pool.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": self._pool.password},
        )
        return answer["AuthenticationResult"]["AccessToken"]

    def _create(self, email: str) -> None:
        pool = self._pool.id
        attributes = {"email": email, "email_verified": "true"}
        self._cognito.admin_create_user(
            UserPoolId=pool,
            Username=email,
            UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
            MessageAction="SUPPRESS",
        )
        self._cognito.admin_set_user_password(
            UserPoolId=pool, Username=email, Password=self._pool.password, Permanent=True
        )
        self._cognito.admin_add_user_to_group(UserPoolId=pool, Username=email, GroupName="customer")


def email_of(customer: str) -> str:
    return f"customer-{customer}@example.com"
