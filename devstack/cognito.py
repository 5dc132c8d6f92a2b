"""The user pool of the local stack: app client, groups, and one demo person per role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from devstack.credentials import Credentials
from devstack.errors import StackError
from devstack.home import Home
from devstack.servers.aws import REGION

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

GROUPS = ("customer", "support", "merchandiser", "warehouse", "finance", "admin")
PEOPLE = ("customer", "other_customer", *GROUPS[1:])
"""Demo people; all but `other_customer`, a second customer, are called after their group."""

_POOL, _CLIENT = "commerce", "commerce-web"


@dataclass(frozen=True)
class UserPool:
    id: str
    client_id: str
    issuer: str
    """The exact `iss` of its tokens: Amazon's address, also on an emulator."""
    jwks_url: str


def email_of(person: str) -> str:
    return f"{person}@example.com"


def group_of(person: str) -> str:
    return "customer" if person == "other_customer" else person


def ensure_pool(endpoint: str, password: str) -> UserPool:
    """Create what is missing of pool, client, groups and people; the password is set anew."""
    client = _client(endpoint)
    pool_id = _pool(client)
    client_id = _app_client(client, pool_id)
    known_groups = {g.get("GroupName") for g in client.list_groups(UserPoolId=pool_id)["Groups"]}
    for group in GROUPS:
        if group not in known_groups:
            client.create_group(UserPoolId=pool_id, GroupName=group)
    for person in PEOPLE:
        if not _exists(client, pool_id, person):
            _create_person(client, pool_id, person)
        client.admin_set_user_password(
            UserPoolId=pool_id, Username=email_of(person), Password=password, Permanent=True
        )
    return UserPool(
        id=pool_id,
        client_id=client_id,
        issuer=f"https://cognito-idp.{REGION}.amazonaws.com/{pool_id}",
        jwks_url=f"{endpoint}/{pool_id}/.well-known/jwks.json",
    )


def sign_in(endpoint: str, pool: str, client: str, role: str, password: str | None = None) -> str:
    """An access token of a demo person, valid for a day, with the person's groups.

    Without `password` it is the one of the local stack that is found from here.

    `pool` is there for providers that sign in by pool; Cognito's own call needs the client only.
    Raises StackError when the role is unknown or the emulator refuses.
    """
    if role not in PEOPLE:
        raise StackError(f"no demo person {role!r}: choose one of {', '.join(PEOPLE)}")
    password = password or Credentials.load(Home.find().secrets).people_password
    try:
        answer = _client(endpoint).initiate_auth(
            ClientId=client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email_of(role), "PASSWORD": password},
        )
    except (BotoCoreError, ClientError) as error:
        raise StackError(f"{role} cannot sign in at pool {pool}: {error}") from error
    return answer["AuthenticationResult"]["AccessToken"]


def _pool(client: CognitoIdentityProviderClient) -> str:
    for pool in client.list_user_pools(MaxResults=60)["UserPools"]:
        if pool.get("Name") == _POOL:
            return pool["Id"]
    created = client.create_user_pool(
        PoolName=_POOL, AutoVerifiedAttributes=["email"], UsernameAttributes=["email"]
    )
    return created["UserPool"]["Id"]


def _app_client(client: CognitoIdentityProviderClient, pool_id: str) -> str:
    for known in client.list_user_pool_clients(UserPoolId=pool_id)["UserPoolClients"]:
        if known.get("ClientName") == _CLIENT:
            return known["ClientId"]
    created = client.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName=_CLIENT,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        AccessTokenValidity=24,
        TokenValidityUnits={"AccessToken": "hours"},
    )
    return created["UserPoolClient"]["ClientId"]


def _exists(client: CognitoIdentityProviderClient, pool_id: str, person: str) -> bool:
    try:
        client.admin_get_user(UserPoolId=pool_id, Username=email_of(person))
    except client.exceptions.UserNotFoundException:
        return False
    return True


def _create_person(client: CognitoIdentityProviderClient, pool_id: str, person: str) -> None:
    name = email_of(person)
    client.admin_create_user(
        UserPoolId=pool_id,
        Username=name,
        UserAttributes=[{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "true"}],
        MessageAction="SUPPRESS",
    )
    client.admin_add_user_to_group(UserPoolId=pool_id, Username=name, GroupName=group_of(person))


def _client(endpoint: str) -> CognitoIdentityProviderClient:
    return boto3.client(
        "cognito-idp",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="dev",
        aws_secret_access_key="dev",  # noqa: S106 - the emulator takes any
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10),
    )
