"""What reads: retrieve, list, search, events."""

import itertools
from collections.abc import Callable, Iterable
from typing import TypeVar

from devstack.emulators.common.jsonvalue import JSON
from devstack.emulators.stripe import search
from devstack.emulators.stripe.errors import ApiError, no_such
from devstack.emulators.stripe.model import (
    Charge,
    Dispute,
    PaymentIntent,
    PaymentMethod,
    Refund,
    StoredEvent,
)
from devstack.emulators.stripe.params import Params
from devstack.emulators.stripe.render import Body, event, page
from devstack.emulators.stripe.work import Answer, Work

Listed = TypeVar("Listed", PaymentIntent, Charge, Refund, Dispute, StoredEvent)
OfPayment = TypeVar("OfPayment", Refund, Dispute)
_PAGING = ("limit", "starting_after", "ending_before", "created")


def retrieve_payment_intent(work: Work) -> Answer:
    work.params.only("client_secret")
    return work.show(work.subject(PaymentIntent, "intent"))


def retrieve_charge(work: Work) -> Answer:
    return work.show(work.subject(Charge))


def retrieve_refund(work: Work) -> Answer:
    return work.show(work.subject(Refund))


def retrieve_dispute(work: Work) -> Answer:
    return work.show(work.subject(Dispute, "dispute"))


def retrieve_payment_method(work: Work) -> Answer:
    return work.show(work.subject(PaymentMethod, "payment_method"))


def list_payment_intents(work: Work) -> Answer:
    work.params.only("customer", *_PAGING)
    customer = work.params.text("customer")
    found = [
        intent
        for intent in reversed(work.world.store.all(PaymentIntent))
        if customer is None or intent.echoed.get("customer") == customer
    ]
    return _paged(work, found, work.world.renderer.render)


def list_charges(work: Work) -> Answer:
    work.params.only("payment_intent", *_PAGING)
    intent = work.params.text("payment_intent")
    charges = reversed(work.world.store.all(Charge))
    found = [charge for charge in charges if intent in {None, charge.payment_intent}]
    return _paged(work, found, work.world.renderer.render)


def list_refunds(work: Work) -> Answer:
    return _of_payment(work, Refund)


def list_disputes(work: Work) -> Answer:
    return _of_payment(work, Dispute)


def search_payment_intents(work: Work) -> Answer:
    """Newest first; an object younger than the search lag is not found yet."""
    work.params.only("query", "limit", "page")
    matches = search.parse(work.params.required("query"))
    limit = _limit(work.params)
    skipped = _page_number(work.params) * limit
    visible_until = work.now() - work.settings.search_lag_seconds
    found = [
        intent
        for intent in reversed(work.world.store.all(PaymentIntent))
        if intent.created <= visible_until and matches(intent)
    ]
    shown: list[JSON] = [work.world.renderer.render(intent) for intent in found[skipped : skipped + limit]]
    more = len(found) > skipped + limit
    body: Body = {
        "object": "search_result",
        "data": shown,
        "has_more": more,
        "next_page": str(skipped // limit + 1) if more else None,
        "url": work.call.path,
    }
    return Answer(200, body)


def retrieve_event(work: Work) -> Answer:
    found = work.world.store.event(work.call.subject)
    if found is None:
        raise no_such("event", work.call.subject, "id", in_url=True)
    return Answer(200, event(found))


def list_events(work: Work) -> Answer:
    work.params.only("type", "types", "delivery_success", *_PAGING)
    kind, kinds = work.params.text("type"), work.params.texts("types")
    if kind and kinds:
        raise ApiError("You may only specify one of these parameters: type, types.")
    delivered = work.params.flag("delivery_success")
    events = (
        stored
        for stored in work.world.store.events([kind] if kind else kinds)
        if delivered is None or stored.settled == delivered
    )
    return _paged(work, events, event)


def _of_payment(work: Work, kind: type[OfPayment]) -> Answer:
    work.params.only("payment_intent", "charge", *_PAGING)
    intent, charge = work.params.text("payment_intent"), work.params.text("charge")
    found = [
        item
        for item in reversed(work.world.store.all(kind))
        if intent in {None, item.payment_intent} and charge in {None, item.charge}
    ]
    return _paged(work, found, work.world.renderer.render)


def _paged(work: Work, newest_first: Iterable[Listed], render: Callable[[Listed], Body]) -> Answer:
    limit = _limit(work.params)
    after, before = work.params.text("starting_after"), work.params.text("ending_before")
    created = _created_filter(work.params)
    items: Iterable[Listed] = (item for item in newest_first if created(int(item.created)))
    if before is not None:
        preceding = list(itertools.takewhile(lambda item: item.id != before, items))
        window, more = preceding[-limit:], len(preceding) > limit
    else:
        if after is not None:
            items = itertools.islice(itertools.dropwhile(lambda item: item.id != after, items), 1, None)
        taken = list(itertools.islice(items, limit + 1))
        window, more = taken[:limit], len(taken) > limit
    return Answer(200, page(work.call.path, [render(item) for item in window], has_more=more))


def _limit(params: Params) -> int:
    limit = params.integer("limit")
    if limit is None:
        return 10
    if not 1 <= limit <= 100:
        raise ApiError("limit must be between 1 and 100", "parameter_invalid_integer", "limit")
    return limit


def _page_number(params: Params) -> int:
    number = params.integer("page")
    return 0 if number is None else max(0, number)


def _created_filter(params: Params) -> Callable[[int], bool]:
    value = params.values.get("created")
    if value is None or isinstance(value, str):
        exact = params.integer("created")
        return lambda created: exact is None or created == exact
    group = params.group("created") or Params({})
    group.only("gt", "gte", "lt", "lte")
    over, least = group.integer("gt"), group.integer("gte")
    under, most = group.integer("lt"), group.integer("lte")
    return lambda created: (
        (over is None or created > over)
        and (least is None or created >= least)
        and (under is None or created < under)
        and (most is None or created <= most)
    )
