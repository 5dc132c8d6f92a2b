"""Stripe's search query language, for payment intents: `status:'succeeded' AND metadata['order_id']:'7'`."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from devstack.emulators.common.jsonvalue import JSON
from devstack.emulators.stripe.errors import ApiError
from devstack.emulators.stripe.model import PaymentIntent

_CLAUSE = re.compile(
    r"""\s*(?P<negated>-?)
    (?P<field>\w+)(?:\[(?P<quote>["'])(?P<key>.*?)(?P=quote)\])?
    (?P<operator>:|~|>=|<=|>|<)
    (?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\w+)\s*""",
    re.VERBOSE,
)
_JOINER = re.compile(r"(AND|OR)\b|(?=\S)", re.IGNORECASE)
_NUMBERS = {"amount", "created"}
_TEXTS = {"currency", "customer", "status"}
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    ":": lambda a, b: a == b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}


@dataclass(frozen=True)
class Clause:
    field: str
    key: str | None
    operator: str
    value: str
    negated: bool

    def holds(self, intent: PaymentIntent) -> bool:
        return self._matches(intent) != self.negated

    def _matches(self, intent: PaymentIntent) -> bool:
        if self.field in _NUMBERS:
            number = intent.amount if self.field == "amount" else int(intent.created)
            return _COMPARE[self.operator](number, int(self.value))
        found = self._text(intent)
        if self.value == "null" or not isinstance(found, str):
            return self.value == "null" and found is None
        wanted, found = self.value.lower(), found.lower()
        return wanted in found if self.operator == "~" else wanted == found

    def _text(self, intent: PaymentIntent) -> JSON:
        if self.field == "metadata":
            return intent.metadata.get(self.key or "")
        values: dict[str, JSON] = {"currency": intent.currency, "status": intent.status}
        return values.get(self.field, intent.echoed.get(self.field))


def parse(query: str) -> Callable[[PaymentIntent], bool]:
    """Clauses joined by AND, by OR, or by spaces (meaning AND). Raises ApiError."""
    clauses: list[Clause] = []
    joiners: set[str] = set()
    position = 0
    while position < len(query):
        match = _CLAUSE.match(query, position)
        if match is None:
            raise _bad_query(query)
        clauses.append(_clause(match, query))
        joiner = _JOINER.match(query, match.end())
        position = joiner.end() if joiner else len(query)
        if joiner:
            joiners.add((joiner.group(1) or "and").lower())
    if not clauses or len(joiners) > 1:
        raise _bad_query(query)
    quantifier = any if joiners == {"or"} else all
    return lambda intent: quantifier(clause.holds(intent) for clause in clauses)


def _clause(match: re.Match[str], query: str) -> Clause:
    field, key, operator, raw = match["field"], match["key"], match["operator"], match["value"]
    value = re.sub(r"\\(.)", r"\1", raw[1:-1]) if raw[0] in "\"'" else raw
    numeric = field in _NUMBERS and value.isdigit() and operator != "~"
    textual = (field == "metadata" and key is not None) or (field in _TEXTS and key is None)
    if not numeric and not (textual and operator in {":", "~"}):
        raise _bad_query(query)
    return Clause(field, key, operator, value, bool(match["negated"]))


def _bad_query(query: str) -> ApiError:
    return ApiError(f"We were unable to parse your search query: {query}", param="query")
