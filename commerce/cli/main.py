"""`commerce`: run the shop on this machine, look into it, and check it."""

import os
import sys
from typing import NoReturn

import typer

from commerce.cli import demo, doctor, orders, replay, stack
from commerce.cli.errors import CommandError

app = typer.Typer(
    name="commerce",
    help=(
        "CloudCommerce: a shop in which every order is a durable workflow.\n\n"
        "Settings come from COMMERCE_… variables and, on a developer's machine, from .devstack/env, which "
        "`commerce dev` writes. Exit codes: 0 fine, 1 something wrong was found, 2 wrong usage or settings, "
        "3 something needed is not running."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (stack, demo, doctor, replay):
    part.register(app)
app.add_typer(orders.app, name="orders")


def main() -> NoReturn:
    code = run(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Native threads of Temporal's SDK can abort a Python 3.11 process at exit (sdk-python #300).
    os._exit(code)


def run(arguments: list[str]) -> int:
    """The exit code; errors are one line on standard error."""
    try:
        app(args=arguments)
    except CommandError as error:
        print(f"commerce: {error}", file=sys.stderr)
        return int(error.code)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0


if __name__ == "__main__":
    main()
