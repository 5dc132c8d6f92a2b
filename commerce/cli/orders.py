"""`commerce orders`: look at orders and act on them."""

from typing import Annotated

import typer

app = typer.Typer(name="orders", help="Look at orders, understand them, cancel one.", no_args_is_help=True)
OrderId = Annotated[str, typer.Argument(help="The order's id, ord_…", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@app.command("list")
def list_orders(
    status: Annotated[
        str | None,
        typer.Option(help="Only Pending, Processing, Shipped, Delivered, Cancelled or Refunded ones."),
    ] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's, by subject id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many, newest first.")] = 20,
    json: Json = False,
) -> None:
    """List orders, newest first."""
    from commerce.cli import order_pages
    from commerce.cli.running import run

    run(order_pages.show_list(status, customer, limit, as_json=json))


@app.command()
def show(order_id: OrderId, json: Json = False) -> None:
    """Show an order: lines, money, parcels, timeline, and what its workflow is doing."""
    from commerce.cli import order_pages
    from commerce.cli.running import run

    run(order_pages.show_one(order_id, as_json=json))


@app.command()
def explain(order_id: OrderId, json: Json = False) -> None:
    """Say in plain words what happened to an order, where it stands and what happens next."""
    from commerce.cli import order_pages
    from commerce.cli.running import run

    run(order_pages.show_story(order_id, as_json=json))


@app.command()
def cancel(
    order_id: OrderId,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail.")],
    token: Annotated[
        str | None,
        typer.Option(
            envvar="COMMERCE_TOKEN",
            help="Access token of a support person; without it the local stack's is used.",
            show_envvar=True,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Cancel an order through the gateway: goods and money go back, and it is audited."""
    from commerce.cli.cancelling import cancel_order

    cancel_order(order_id, reason, token, as_json=json)
