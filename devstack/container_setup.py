"""`python -m devstack.container_setup`: what the containers need before gateway and worker start.

Reads its addresses from the environment (see docker-compose.yml). May be run again at any time.
"""

from __future__ import annotations

import os
import sys
import time

from devstack import cognito, preparation
from devstack.aws_resources import ensure_resources
from devstack.errors import StackError
from devstack.home import Home, write_private
from devstack.servers.aws import http_ok

_PATIENCE = 60.0


def main() -> None:
    try:
        _set_up(Home.find())
    except StackError as error:
        sys.exit(str(error))


def _set_up(home: Home) -> None:
    home.create(disk_needed=0)
    owner_url = _required("COMMERCE_DATABASE_OWNER_URL")
    preparation.migrate(home, owner_url)
    preparation.seed(home, owner_url)
    endpoint = _required("COMMERCE_AWS_ENDPOINT_URL")
    _await(f"{endpoint}/_ministack/health")
    ensure_resources(endpoint)
    pool = cognito.ensure_pool(endpoint, _required("DEMO_PASSWORD"))
    settings = {
        "COMMERCE_COGNITO_USER_POOL_ID": pool.id,
        "COMMERCE_COGNITO_CLIENT_ID": pool.client_id,
        "COMMERCE_COGNITO_ISSUER": pool.issuer,
        "COMMERCE_COGNITO_JWKS_URL": pool.jwks_url,
    }
    write_private(home.env, "".join(f"{name}={value}\n" for name, value in settings.items()))
    print(f"set up; sign in as one of {', '.join(map(cognito.email_of, cognito.PEOPLE))}")


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise StackError(f"{name} is not set")
    return value


def _await(url: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not http_ok(url):
        if time.monotonic() > deadline:
            raise StackError(f"{url} did not answer within {_PATIENCE:.0f} s")
        time.sleep(0.2)


if __name__ == "__main__":
    main()
