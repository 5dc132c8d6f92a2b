"""The guard, on an application of two routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from api.guard import guarded_router
from api.middleware.body_limit import BodyLimitMiddleware
from api.middleware.cors import OriginMiddleware
from api.middleware.request import RequestMiddleware
from api.policy import Owned, allow, anyone, owner_of
from api.problems import ProblemRenderer, install_handlers

SHOP, UI = "https://shop.example", "http://127.0.0.1:8233"


class Note(BaseModel):
    text: str


def _app() -> FastAPI:
    renderer = ProblemRenderer(SHOP)
    router = guarded_router(tags=["x"])

    @router.get("/forgetful")
    @allow(owner_of(Owned.ORDER))
    async def forgetful() -> dict[str, str]:
        return {"secret": "of somebody"}

    @router.post("/notes")
    @allow(anyone())
    async def note(payload: Note) -> Note:
        return payload

    app = FastAPI(openapi_url=None)
    app.include_router(router)
    install_handlers(app, renderer)
    app.add_middleware(BodyLimitMiddleware, limit=100, renderer=renderer)
    app.add_middleware(OriginMiddleware, origins=[SHOP], temporal_ui_url=UI, renderer=renderer)
    app.add_middleware(RequestMiddleware, renderer=renderer)
    return app


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = _app()

    @asynccontextmanager
    async def state() -> AsyncIterator[None]:
        app.state.gateway = SimpleNamespace()
        yield

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with state(), httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


async def test_a_route_that_forgets_whose_object_it_is_answers_500_and_nothing_else(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.get("/forgetful", headers={"X-Cart-Token": "any"})
    assert answer.status_code == 500
    assert answer.json()["type"] == f"{SHOP}/problems/internal-error"
    assert "secret" not in answer.text


async def test_who_may_not_call_is_told_before_the_body_is_looked_at(http: httpx.AsyncClient) -> None:
    answer = await http.request("GET", "/forgetful", content=b"{")
    assert answer.status_code == 401


async def test_a_configured_origin_may_call_with_our_headers(http: httpx.AsyncClient) -> None:
    asked = {
        "Origin": SHOP,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,idempotency-key,x-cart-token,if-match",
    }
    preflight = await http.options("/notes", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == SHOP
    assert "access-control-allow-credentials" not in preflight.headers
    answer = await http.post("/notes", json={"text": "hi"}, headers={"Origin": SHOP})
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "Idempotency-Replayed" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", ["https://shop.example.evil", "http://shop.example", UI, "null"])
async def test_any_other_origin_may_not(http: httpx.AsyncClient, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    preflight = await http.options("/notes", headers=asked)
    assert preflight.status_code == 403
    assert preflight.headers["content-type"] == "application/problem+json"
    assert "access-control-allow-origin" not in preflight.headers


async def test_the_shops_own_origin_may_not_use_the_codec(http: httpx.AsyncClient) -> None:
    asked = {"Origin": SHOP, "Access-Control-Request-Method": "POST"}
    assert (await http.options("/codec/decode", headers=asked)).status_code == 403
    asked["Origin"] = UI
    assert (await http.options("/codec/decode", headers=asked)).headers["access-control-allow-origin"] == UI
