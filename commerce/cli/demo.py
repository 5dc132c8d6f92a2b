"""`commerce demo`: a real shop's morning through the gateway."""

import sys
from typing import Annotated

import typer

from commerce.cli.errors import CommandError, Exit

_TERMINATED = 128 + 15


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    seed: Annotated[int, typer.Option(help="Chooses who cancels, whose card is declined, who is asked.")] = 7,
    at_once: Annotated[int, typer.Option(min=1, max=32, help="Shoppers at the same time.")] = 4,
    stay: Annotated[
        bool | None,
        typer.Option(
            "--stay/--no-stay",
            help="Keep a stack that the demo started until Ctrl-C, so that its orders can be looked at. "
            "By default on a terminal.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Put a real shop's morning through the gateway, cart to delivery, and balance the books.

    63 purchases, a partial refund, cancellations, declined cards, 3-D Secure, lines that make no sense.
    Starts the local stack if it is not running, and stops it in the end. Exit code 1 if the books do not
    balance.
    """
    import asyncio

    from commerce.cli.running import run
    from devstack.demo.morning import Demo
    from devstack.errors import StackError

    if stay is None:
        stay = sys.stdout.isatty() and not json
    try:
        balanced = run(Demo(seed=seed, at_once=at_once, stay=stay, as_json=json).run())
    except asyncio.CancelledError:
        raise typer.Exit(_TERMINATED) from None
    except StackError as error:
        raise CommandError(str(error), Exit.UNREACHABLE) from error
    if not balanced:
        raise typer.Exit(Exit.FOUND)
