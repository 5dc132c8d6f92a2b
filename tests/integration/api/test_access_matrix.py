"""Role × route × ownership, from the routes' own declarations, by HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from api.app import create_app
from api.guard import GuardedRoute
from api.policy import Door, Owned, Rule
from commerce.domain.identity import Role
from tests.integration.api.bench import SKU, Shop, checkout_of

OWNER, STRANGER = "ada", "bob"
PASSED = "passed"
STAFF = [role for role in Role if role is not Role.CUSTOMER]


@dataclass(frozen=True)
class Actor:
    name: str
    headers: dict[str, str]
    role: Role | None = None
    owns: str | None = None
    """Whose objects are this actor's: the customer's or the guest's."""


@dataclass
class World:
    """One object of each kind for the customer and for the guest; `checkout` carts become orders."""

    actors: list[Actor] = field(default_factory=list)
    objects: dict[tuple[str, str], str] = field(default_factory=dict)


@pytest.fixture(scope="module")
async def world(open_shop: Shop) -> World:
    shop = open_shop
    shop.workflows.reset()
    owner, guest = shop.person(OWNER), {}
    world = World()
    for whose, headers in (("customer", owner), ("guest", guest)):
        secret: dict[str, str] = dict(headers)
        cart = await shop.cart(secret)
        ordered = await shop.cart(secret) if whose == "customer" else cart
        order = await shop.check_out(ordered["id"], secret, f"matrix-{whose}")
        held = await shop.http.post(
            "/v1/reservations", json={"cart_id": cart["id"], "minutes": 5}, headers=secret
        )
        assert (order.status_code, held.status_code) == (201, 201), (order.text, held.text)
        world.objects |= {
            ("cart", whose): str(cart["id"]),
            ("order", whose): order.json()["order_id"],
            ("reservation", whose): held.json()["id"],
        }
        guest |= secret if whose == "guest" else {}
    people = {Role.CUSTOMER: OWNER} | {role: f"{role}-person" for role in STAFF}
    world.actors = [
        Actor("anonymous", {}),
        Actor("guest with the token", {"X-Cart-Token": guest["X-Cart-Token"]}, owns="guest"),
        Actor("guest with a wrong token", {"X-Cart-Token": "x" * 43}),
        Actor("other customer", shop.person(STRANGER), Role.CUSTOMER),
        *(
            Actor(role, shop.person(name, role), role, "customer" if role is Role.CUSTOMER else None)
            for role, name in people.items()
        ),
    ]
    for actor in world.actors:
        if actor.role is not None:
            await shop.cart(dict(actor.headers))
    return world


def expected(rule: Rule, actor: Actor, whose: str) -> int | str:
    """What the declaration means."""
    known = actor.role is not None
    match rule.door:
        case Door.ANYONE | Door.SIGNED:
            return PASSED
        case Door.PERSON:
            return PASSED if known else 401
        case Door.STAFF if known:
            return PASSED if actor.role in rule.roles else 403
        case Door.STAFF:
            return 401
        case Door.OWNER:
            if not known and "X-Cart-Token" not in actor.headers:
                return 401
            return PASSED if actor.owns == whose or actor.role in rule.roles else 404


def _calls(shop: Shop, world: World) -> Iterator[tuple[str, str, Rule]]:
    for context in iter_route_contexts(create_app(shop.gateway.settings).routes):
        route = context.original_route
        assert isinstance(route, GuardedRoute)
        for method in sorted(context.methods or set()):
            yield method, str(context.path), route.rule


def _path(template: str, world: World, whose: str, product_id: str) -> str:
    return template.format(
        cart_id=world.objects["cart", whose],
        order_id=world.objects["order", whose],
        reservation_id=world.objects["reservation", whose],
        product_id=product_id,
        sku=SKU,
        carrier="easypost",
        slug="not-found",
        step="void",
    )


async def _call(
    shop: Shop, method: str, path: str, actor: Actor, body: dict[str, object] | None
) -> httpx.Response:
    """Harmless where it is let in: an old ETag, no idempotency key, a body that does not fit."""
    headers = {**actor.headers, "If-Match": '"999"'}
    if body:
        headers["Idempotency-Key"] = f"matrix-{actor.name.replace(' ', '-')}-{body['cart_id']}"
    shop.http.cookies.clear()
    writes = method in {"POST", "PUT", "PATCH"}
    async with shop.http.stream(
        method, path, headers=headers, json=(body or {}) if writes else None
    ) as answer:
        return answer


async def test_each_role_gets_what_each_route_declares(open_shop: Shop, world: World) -> None:
    shop = open_shop
    listed = (await shop.http.get("/v1/products", params={"limit": 1})).json()
    product_id = listed["items"][0]["id"]
    wrong, tried = [], 0
    for (method, template, rule), actor in product(list(_calls(shop, world)), world.actors):
        for whose in ("customer", "guest") if rule.owned else ("customer",):
            cart = {"cart_id": world.objects["cart", whose], "minutes": 5}
            in_body = cart if template == "/v1/reservations" else checkout_of(cart["cart_id"])
            body = in_body if rule.owned is Owned.CART_IN_BODY else None
            answer = await _call(shop, method, _path(template, world, whose, product_id), actor, body)
            status = answer.status_code if answer.status_code in {401, 403, 404} else PASSED
            tried += 1
            wanted = expected(rule, actor, whose)
            if status != wanted:
                wrong.append((method, template, actor.name, whose, wanted, answer.status_code))
    assert wrong == []
    assert tried > 400


async def test_refusals_say_how_to_sign_in(open_shop: Shop) -> None:
    answer = await open_shop.http.get("/v1/me")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["type"].endswith("/problems/authentication-required")


@pytest.mark.parametrize(
    ("changes", "header"),
    [
        ({"exp": 1}, None),
        ({"iss": "https://elsewhere"}, None),
        ({"client_id": "other"}, None),
        ({"token_use": "id"}, None),
        ({}, "Bearer not.a.token"),
        ({}, "Basic YWRhOnB3"),
        ({}, "Bearer"),
    ],
)
async def test_a_token_that_does_not_hold_is_refused_also_where_guests_may_call(
    shop: Shop, changes: dict[str, object], header: str | None
) -> None:
    value = header or f"Bearer {shop.desk.token('ada', 'customer', **changes)}"
    for method, path in (("GET", "/v1/me"), ("POST", "/v1/carts")):
        answer = await shop.http.request(
            method,
            path,
            headers={"Authorization": value},
            json={"currency": "GBP"} if method == "POST" else None,
        )
        assert answer.status_code == 401
        assert answer.json()["type"].endswith("/problems/invalid-token")
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_a_stale_token_does_not_close_the_catalogue(shop: Shop) -> None:
    answer = await shop.http.get("/v1/products", headers={"Authorization": "Bearer stale"})
    assert answer.status_code == 200


async def test_an_object_of_somebody_else_looks_like_none(shop: Shop) -> None:
    cart = await shop.cart(shop.person("ada"))
    foreign = await shop.http.get(f"/v1/carts/{cart['id']}", headers=shop.person("bob"))
    missing = await shop.http.get("/v1/carts/cart_00000000000000000000000000", headers=shop.person("bob"))
    ignored = {"instance"}
    assert foreign.status_code == missing.status_code == 404
    assert {k: v for k, v in foreign.json().items() if k not in ignored} == {
        k: v for k, v in missing.json().items() if k not in ignored
    }
