"""Who may call what: every route carries one `Rule`, and nothing is allowed without one.

A rule is checked in two steps. Before the body is read: is the caller one who may call this at all (401,
403)? With the object at hand: is it the caller's, or does the rule give a role of the caller everybody's
(else 404, as if it were not there)? A route with an owner rule that answers without the second step is a
fault of ours, and answers 500 instead.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TypeVar

from structlog.contextvars import bind_contextvars

from api.errors import AuthenticationRequired, Forbidden, ObjectNotFound
from commerce.domain.identity import Identity, Role

_RULE = "__access_rule__"
E = TypeVar("E", bound=Callable[..., object])


class Owned(StrEnum):
    """What kind of object decides whose call it is, and where its id stands."""

    CART = "cart"
    CART_IN_BODY = "cart_in_body"
    ORDER = "order"
    RESERVATION = "reservation"


class Door(StrEnum):
    """Who is let in at all."""

    ANYONE = "anyone"
    SIGNED = "signed"
    """A provider, known by the signature over the body that its adapter verifies."""
    PERSON = "person"
    STAFF = "staff"
    OWNER = "owner"


@dataclass(frozen=True)
class Rule:
    """`roles` may with everybody's objects; `guests`: the cart's secret makes its holder an owner."""

    door: Door
    roles: frozenset[Role] = frozenset()
    owned: Owned | None = None
    guests: bool = False
    identify: bool = True
    """Whether an access token, if sent, is looked at; without it a bad one does no harm."""
    cookie: str | None = None
    """Name of a cookie that may carry the access token where a browser cannot send the header."""

    def admit(self, identity: Identity | None, cart_key: str | None) -> None:
        """Raises AuthenticationRequired or Forbidden for one who may never call this."""
        if self.door in {Door.ANYONE, Door.SIGNED}:
            return
        if identity is None and not (self.guests and cart_key):
            raise AuthenticationRequired
        if self.door is Door.STAFF and (identity is None or not self.roles & identity.roles):
            raise Forbidden


def anyone(*, identify: bool = False) -> Rule:
    return Rule(Door.ANYONE, identify=identify)


def signed_by_provider() -> Rule:
    return Rule(Door.SIGNED, identify=False)


def signed_in(*roles: Role) -> Rule:
    """Any person, with what is theirs; `roles` see everybody's."""
    return Rule(Door.PERSON, roles=frozenset(roles))


def staff(*roles: Role) -> Rule:
    return Rule(Door.STAFF, roles=frozenset(roles))


def owner_of(owned: Owned, *roles: Role) -> Rule:
    """The owner, a guest by the cart's token included, and `roles` with everybody's objects."""
    return Rule(Door.OWNER, roles=frozenset(roles), owned=owned, guests=True)


def allow(rule: Rule) -> Callable[[E], E]:
    """Declares a route's rule; goes below the router's decorator."""

    def declare(endpoint: E) -> E:
        setattr(endpoint, _RULE, rule)
        return endpoint

    return declare


class MissingRule(TypeError):
    """A route was declared without a rule."""


def rule_of(endpoint: Callable[..., object]) -> Rule:
    rule = getattr(endpoint, _RULE, None)
    if not isinstance(rule, Rule):
        raise MissingRule(f"{endpoint.__module__}.{endpoint.__qualname__} declares nobody who may call it")
    return rule


def cart_key(token: str) -> str:
    """What is stored and compared of a cart's secret token."""
    return sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class Ownership:
    """Whose an object is; `cart_id` names a guest in audit rows."""

    kind: str
    object_id: str
    customer_id: str | None
    guest_key: str | None
    cart_id: str

    @property
    def owner(self) -> str:
        return f"customer:{self.customer_id}" if self.customer_id else f"guest:{self.cart_id}"


class Access:
    """One call's standing: who calls, under which rule, and whether the object's owner was checked."""

    def __init__(self, rule: Rule, identity: Identity | None, guest_key: str | None) -> None:
        self.rule = rule
        self.identity = identity
        self.guest_key = guest_key
        self.settled = rule.owned is None
        self.actor = self._first_actor()
        self.on_behalf_of: str | None = None

    @property
    def sees_everything(self) -> bool:
        """Whether a role of the caller is given everybody's objects."""
        return self.identity is not None and bool(self.rule.roles & self.identity.roles)

    @property
    def person(self) -> Identity:
        """The signed-in caller. Raises AuthenticationRequired."""
        if self.identity is None:
            raise AuthenticationRequired
        return self.identity

    def scope(self) -> str:
        """Whose idempotency keys these are: a guest's are bound to the secret, a person's to the subject."""
        return f"person:{self.identity.subject}" if self.identity else f"guest:{self.guest_key}"

    def require(self, ownership: Ownership) -> None:
        """Raises ObjectNotFound unless the rule gives the caller this object."""
        self.settled = True
        if self.rule.door is not Door.STAFF and self._owns(ownership):
            self.actor = ownership.owner
            bind_contextvars(actor=self.actor)
            return
        if not self.sees_everything:
            raise ObjectNotFound(f"No {ownership.kind} with this id.")
        self.on_behalf_of = ownership.owner

    def _owns(self, ownership: Ownership) -> bool:
        if self.identity and ownership.customer_id:
            return ownership.customer_id == self.identity.subject
        if not (self.rule.guests and self.guest_key and ownership.guest_key):
            return False
        return hmac.compare_digest(ownership.guest_key, self.guest_key)

    def _first_actor(self) -> str:
        if self.identity is None:
            return "guest"
        acting = sorted(self.rule.roles & self.identity.roles)
        return f"{acting[0] if acting else Role.CUSTOMER}:{self.identity.subject}"
