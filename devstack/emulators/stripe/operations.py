"""The routes of the API that exist here, by the names that faults use."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from devstack.emulators.stripe import disputes, payment_intents, queries, refunds
from devstack.emulators.stripe.work import Answer, Work

Handler: TypeAlias = Callable[[Work], Answer]


@dataclass(frozen=True)
class Operation:
    """`kind` is the object in the answer, `listed` says that there are many."""

    name: str
    method: str
    path: str
    kind: str
    run: Handler
    listed: bool = False


OPERATIONS = (
    Operation("payment_intents.create", "POST", "", "payment_intent", payment_intents.create),
    Operation("payment_intents.list", "GET", "", "payment_intent", queries.list_payment_intents, True),
    Operation(
        "payment_intents.search", "GET", "/search", "payment_intent", queries.search_payment_intents, True
    ),
    Operation("payment_intents.retrieve", "GET", "/{id}", "payment_intent", queries.retrieve_payment_intent),
    Operation("payment_intents.update", "POST", "/{id}", "payment_intent", payment_intents.update),
    Operation("payment_intents.confirm", "POST", "/{id}/confirm", "payment_intent", payment_intents.confirm),
    Operation("payment_intents.capture", "POST", "/{id}/capture", "payment_intent", payment_intents.capture),
    Operation("payment_intents.cancel", "POST", "/{id}/cancel", "payment_intent", payment_intents.cancel),
    Operation("charges.list", "GET", "", "charge", queries.list_charges, True),
    Operation("charges.retrieve", "GET", "/{id}", "charge", queries.retrieve_charge),
    Operation("refunds.create", "POST", "", "refund", refunds.create),
    Operation("refunds.list", "GET", "", "refund", queries.list_refunds, True),
    Operation("refunds.retrieve", "GET", "/{id}", "refund", queries.retrieve_refund),
    Operation("refunds.update", "POST", "/{id}", "refund", refunds.update),
    Operation("disputes.list", "GET", "", "dispute", queries.list_disputes, True),
    Operation("disputes.retrieve", "GET", "/{id}", "dispute", queries.retrieve_dispute),
    Operation("disputes.update", "POST", "/{id}", "dispute", disputes.update),
    Operation("disputes.close", "POST", "/{id}/close", "dispute", disputes.close),
    Operation("events.list", "GET", "", "event", queries.list_events, True),
    Operation("events.retrieve", "GET", "/{id}", "event", queries.retrieve_event),
    Operation("payment_methods.retrieve", "GET", "/{id}", "payment_method", queries.retrieve_payment_method),
)


def route(operation: Operation) -> str:
    resource = operation.name.partition(".")[0]
    return f"/v1/{resource}{operation.path}"
