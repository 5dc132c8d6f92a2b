"""`commerce dev`, `seed`, `token`, `migrate`: the local stack and what it is made of."""

import os
import sys
from typing import Annotated

import typer

from commerce.cli.errors import CommandError, Exit


def register(app: typer.Typer) -> None:
    app.command(context_settings={"ignore_unknown_options": True})(dev)
    app.command()(seed)
    app.command()(token)
    app.command()(migrate)


def dev(
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Passed on: `stop`, `status`, `clean`, `--without PART`.")
    ] = None,
) -> None:
    """Run the whole shop on this machine until Ctrl-C: servers, emulators, workers, gateway."""
    os.execv(sys.executable, [sys.executable, "-m", "devstack", *(arguments or [])])  # noqa: S606 - becomes the stack


def migrate(json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False) -> None:
    """Bring the database's schema up to this build, under the owner role."""
    from sqlalchemy.exc import OperationalError

    from commerce.cli.out import print_json
    from commerce.cli.running import one_line
    from commerce.persistence.migrate import current, upgrade

    url = _owner_url()
    try:
        before = current(url)
        upgrade(url)
        after = current(url)
    except OperationalError as outage:
        raise CommandError(f"PostgreSQL: {one_line(outage.orig or outage)}", Exit.UNREACHABLE) from outage
    if json:
        print_json({"before": before, "after": after})
    else:
        print(
            f"schema is at {after}" if before == after else f"schema went from {before or 'none'} to {after}"
        )


def seed(json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False) -> None:
    """Fill catalogue, prices and opening stock from the real order book; what is there stays."""
    from sqlalchemy.exc import OperationalError

    from commerce.cli.out import print_json
    from commerce.cli.running import one_line
    from devstack.seed import seed as fill

    try:
        added = fill(_owner_url())
    except OperationalError as outage:
        raise CommandError(f"PostgreSQL: {one_line(outage.orig or outage)}", Exit.UNREACHABLE) from outage
    if json:
        print_json(added)
    elif not added.products and not added.movements:
        print("everything was there already")
    else:
        print(f"added {added.products} products, {added.prices} prices and {added.pieces} pieces of stock")


def token(
    role: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="ROLE",
            help="customer, other_customer, support, merchandiser, warehouse, finance or admin.",
        ),
    ],
) -> None:
    """Print an access token of a demo person of the local stack, and nothing else."""
    print(sign_in(role))


def sign_in(role: str) -> str:
    """A fresh token from the local stack's user pool. Raises CommandError."""
    from commerce.cli.settings import load
    from devstack import cognito
    from devstack.environment import running_endpoints
    from devstack.errors import StackError

    if role not in cognito.PEOPLE:
        raise CommandError(
            f"no demo person {role!r}: choose one of {', '.join(cognito.PEOPLE)}", Exit.CONFIGURATION
        )
    if running_endpoints() is None:
        raise CommandError("the local stack is not running; `make dev` starts it", Exit.UNREACHABLE)
    settings = load()
    endpoint = settings.aws_endpoint_url
    if not (endpoint and settings.cognito_user_pool_id and settings.cognito_client_id):
        raise CommandError("the local stack has no user pool in its settings", Exit.CONFIGURATION)
    try:
        return cognito.sign_in(endpoint, settings.cognito_user_pool_id, settings.cognito_client_id, role)
    except StackError as refused:
        raise CommandError(str(refused), Exit.UNREACHABLE) from refused


def _owner_url() -> str:
    from commerce.cli.settings import load

    url = load().database_owner_url
    if url is None:
        raise CommandError("not set: COMMERCE_DATABASE_OWNER_URL", Exit.CONFIGURATION)
    return url.get_secret_value()
