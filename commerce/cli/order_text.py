"""Orders as tables and as a story. No e-mail and no address: a terminal's scrollback is a log."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from api.situation import describe
from commerce.cli.workflow_state import WorkflowState
from commerce.contracts.money import Money
from commerce.domain.orders import OrderView, TimelineEntry


def table_of(views: Sequence[OrderView]) -> Table:
    table = Table("Number", "Id", "Status", "Payment", "Fulfilment", "Total", "Created (UTC)", "Attention")
    table.columns[1].no_wrap = True
    table.columns[5].justify = "right"
    for view in views:
        order = view.order
        table.add_row(
            order.number,
            order.id,
            order.status,
            order.payment_state,
            order.fulfilment_state,
            str(Money(order.totals.total, order.totals.currency)),
            _at(order.created_at),
            escape(order.needs_attention or ""),
        )
    return table


def page_of(
    view: OrderView, timeline: Sequence[TimelineEntry], workflow: WorkflowState
) -> Iterator[str | Table]:
    order = view.order
    axes = (order.order_state, order.payment_state, order.fulfilment_state, order.return_state)
    yield f"[bold]Order {order.number}[/] {order.id}: [bold]{order.status}[/] ({', '.join(axes)})"
    yield _lines(view)
    yield _money(view)
    if view.shipments:
        yield _parcels(view)
    yield _timeline(timeline)
    yield "\n".join(escape(line) for line in _workflow_lines(workflow))


def story_of(view: OrderView, timeline: Sequence[TimelineEntry], workflow: WorkflowState) -> list[str]:
    order, now = view.order, describe(view)
    total = Money(order.totals.total, order.totals.currency)
    story = [f"Order {order.number} of {_at(order.created_at)} UTC over {total} is {order.status}.", ""]
    story.append("What happened:")
    story += [f"  {_at(entry.at)}  {entry.text}" for entry in timeline] or ["  nothing yet"]
    story += ["", f"Where it stands: {now.doing}, since {_at(now.since)} UTC."]
    if now.waiting_for:
        story.append(f"It waits for {now.waiting_for}.")
    story.append(f"What happens next: {now.next}")
    story.append(f"Money: {_money_words(view)}")
    if order.needs_attention:
        story.append(f"It needs a person: {order.needs_attention}")
    return [*story, "", *_workflow_lines(workflow)]


def _workflow_lines(workflow: WorkflowState) -> list[str]:
    lines = [f"Workflow {workflow.workflow_id}: {(workflow.state or 'unknown').lower().replace('_', ' ')}"]
    if workflow.ended_badly:
        lines.append("  Nothing happens by itself any more: it ended before the order did.")
    if workflow.situation:
        says = workflow.situation
        waiting = f", waiting for {says.waiting_for}" if says.waiting_for else ""
        lines.append(f"  says: {says.doing}{waiting}, since {says.since}. {says.next}".rstrip())
        lines += [f"  parked: {item.step}: {item.error} (since {item.since})" for item in says.parked]
    if workflow.note:
        lines.append(f"  {workflow.note}")
    return [*lines, f"  {workflow.url}"]


def _money_words(view: OrderView) -> str:
    code = view.order.totals.currency
    captured = sum(payment.captured for payment in view.payments)
    refunded = sum(payment.refunded for payment in view.payments)
    authorised = sum(payment.authorised for payment in view.payments)
    if not captured:
        held = any(payment.status == "authorised" for payment in view.payments)
        return f"{Money(authorised, code)} is authorised, nothing is taken." if held else "nothing is taken."
    back = f"{Money(refunded, code)} given back" if refunded else "nothing given back"
    return f"{Money(captured, code)} taken, {back}."


def _lines(view: OrderView) -> Table:
    code, totals = view.order.totals.currency, view.order.totals
    table = Table("#", "SKU", "Title", "Pieces", "Price", "Total", show_footer=True)
    for column in (0, 3, 4, 5):
        table.columns[column].justify = "right"
    table.columns[2].footer = f"with shipping of {Money(totals.shipping, code)}"
    table.columns[5].footer = str(Money(totals.total, code))
    for line in view.lines:
        price, total = Money(line.unit_price, code), Money(line.total, code)
        table.add_row(
            str(line.line_no), line.sku, escape(line.title), str(line.quantity), str(price), str(total)
        )
    return table


def _money(view: OrderView) -> Table:
    table = Table("Payment or refund", "At", "Status", "Amount", "Taken", "Given back")
    for column in (3, 4, 5):
        table.columns[column].justify = "right"
    for payment in view.payments:
        amounts = (payment.amount, payment.captured, payment.refunded)
        shown = [str(Money(amount, payment.currency)) for amount in amounts]
        status = f"{payment.status} ({payment.decline_code})" if payment.decline_code else payment.status
        table.add_row(payment.id, payment.provider, status, *shown)
    for refund in view.refunds:
        amount = str(Money(refund.amount, refund.currency))
        table.add_row(refund.id, escape(refund.reason), refund.status, amount, "", "")
    return table


def _parcels(view: OrderView) -> Table:
    table = Table("Parcel", "Carrier", "Tracking", "Status", "Handed over (UTC)", "Delivered (UTC)")
    for parcel in view.shipments:
        moments = [_at(moment) if moment else "" for moment in (parcel.handed_over_at, parcel.delivered_at)]
        table.add_row(parcel.id, parcel.carrier, parcel.tracking_code or "", parcel.status, *moments)
    return table


def _timeline(entries: Sequence[TimelineEntry]) -> Table:
    table = Table("When (UTC)", "What", "By")
    for entry in entries:
        table.add_row(_at(entry.at), escape(entry.text), entry.actor.partition(":")[0])
    return table


def _at(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%d %b %Y %H:%M:%S")
