"""The route class that enforces the access rules; every router of the gateway uses it."""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from api.errors import InvalidToken, UnsupportedMediaType
from api.policy import Access, Rule, cart_key, rule_of
from api.state import Gateway
from commerce.domain.identity import Identity, TokenRejected

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """Refuses to exist without a rule, and checks it before the body is read.

    Raises MissingRule when the route is declared, so that the gateway cannot even start without one.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.rule = rule_of(endpoint)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> _Handler:
        handler = super().get_route_handler()
        takes_body = self.body_field is not None

        async def guarded(request: Request) -> Response:
            access = await admit(request, self.rule)
            if takes_body:
                _check_media_type(request)
            response = await handler(request)
            if not access.settled and response.status_code < 400:
                raise RuntimeError(f"{self.path} answered without looking whose object it is")
            return response

        return guarded


def guarded_router(*, tags: list[str], prefix: str = "") -> APIRouter:
    return APIRouter(prefix=prefix, tags=list(tags), route_class=GuardedRoute, redirect_slashes=False)


async def admit(request: Request, rule: Rule) -> Access:
    """Finds out who calls and lets the rule decide; the result waits for the object in `request.state`."""
    token = request.headers.get("x-cart-token")
    guest_key = cart_key(token) if token else None
    identity = await _identify(request, rule) if rule.identify else None
    rule.admit(identity, guest_key)
    access = Access(rule, identity, guest_key)
    request.state.access = access
    structlog.contextvars.bind_contextvars(actor=access.actor)
    return access


async def _identify(request: Request, rule: Rule) -> Identity | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        token = request.cookies.get(rule.cookie, "") if rule.cookie else ""
        if not token:
            return None
    elif scheme.lower() != "bearer" or not token:
        raise InvalidToken("Send `Authorization: Bearer <access token>`.")
    gateway: Gateway = request.state.gateway
    try:
        return await gateway.tokens.verify(token.strip())
    except TokenRejected as error:
        raise InvalidToken from error


def _check_media_type(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    if not has_body or kind == "application/json":
        return
    if request.method == "PATCH" and kind == "application/merge-patch+json":
        return
    raise UnsupportedMediaType("Send application/json.")
