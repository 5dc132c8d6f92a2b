"""What holds for every answer: request ids, headers, problems for whatever goes wrong, the body's cap."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from commerce.domain.errors import ProviderUnavailable
from tests.integration.api.bench import SKU, Shop, slug

LIMIT = 256 * 1024


@pytest.mark.parametrize("offered", ["web-1.2_x", "a" * 64])
async def test_a_sane_request_id_of_the_client_comes_back(shop: Shop, offered: str) -> None:
    answer = await shop.http.get("/healthz", headers={"X-Request-Id": offered})
    assert answer.headers["x-request-id"] == offered


@pytest.mark.parametrize("offered", ["a" * 65, "has space", "<script>", ""])
async def test_any_other_is_replaced(shop: Shop, offered: str) -> None:
    answer = await shop.http.get("/healthz", headers={"X-Request-Id": offered})
    assert answer.headers["x-request-id"].startswith("req_")


async def test_every_answer_has_an_id_and_the_security_headers(shop: Shop) -> None:
    for path in ("/healthz", "/nowhere", "/v1/me", "/docs", "/openapi.json", "/v1/products?limit=0"):
        answer = await shop.http.get(path)
        assert answer.headers["x-request-id"], path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"


async def test_an_unknown_address_and_a_wrong_method_are_problems(shop: Shop) -> None:
    nowhere = await shop.http.get("/v1/nowhere")
    wrong = await shop.http.delete("/v1/products")
    assert (nowhere.status_code, slug(nowhere)) == (404, "not-found")
    assert (wrong.status_code, slug(wrong)) == (405, "method-not-allowed")
    assert set(wrong.headers["allow"].split(", ")) >= {"GET"}


async def test_every_type_can_be_looked_up(shop: Shop) -> None:
    answer = await shop.http.get("/v1/nowhere")
    about = await shop.http.get(answer.json()["type"])
    assert about.json() == {
        "type": answer.json()["type"],
        "title": answer.json()["title"],
        "status": 404,
    }


async def test_bad_json_names_the_place(shop: Shop) -> None:
    answer = await shop.http.post(
        "/v1/carts", content=b'{"currency": "GBP"', headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, slug(answer)) == (400, "malformed-json")
    assert answer.json()["errors"] == [{"detail": "not JSON at character 18", "pointer": ""}]


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe{}", b"[" * 100_000, b'{"currency": ' + b"1" * 5000 + b"}"],
    ids=["not UTF-8", "too deep", "a number without end"],
)
async def test_a_body_that_no_parser_likes_is_a_bad_request(shop: Shop, body: bytes) -> None:
    answer = await shop.http.post("/v1/carts", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert slug(answer) in {"malformed-json", "unsupported-currency", "invalid-request"}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
async def test_another_content_type_is_refused(shop: Shop, kind: str) -> None:
    answer = await shop.http.post("/v1/carts", content=b'{"currency":"GBP"}', headers={"Content-Type": kind})
    assert (answer.status_code, slug(answer)) == (415, "unsupported-media-type")


@pytest.mark.parametrize("size", [LIMIT + 1, 8 * LIMIT])
async def test_a_body_over_the_cap_is_refused_unread(shop: Shop, size: int) -> None:
    answer = await shop.http.post("/v1/carts", content=b" " * size)
    assert (answer.status_code, slug(answer)) == (413, "body-too-large")
    assert answer.json()["limit"] == LIMIT


async def test_a_body_without_a_length_is_cut_while_it_is_read(shop: Shop) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 8 * LIMIT:
            sent += 16 * 1024
            yield b" " * 16 * 1024
            await asyncio.sleep(0)

    headers = {"Content-Type": "application/json"}
    answer = await shop.http.post("/v1/carts", content=endless(), headers=headers)
    assert (answer.status_code, slug(answer)) == (413, "body-too-large")
    assert answer.headers["x-request-id"]


async def test_a_body_of_just_the_cap_is_read(shop: Shop) -> None:
    body = b'{"currency":"GBP"}'
    padded = body + b" " * (LIMIT - len(body))
    answer = await shop.http.post("/v1/carts", content=padded, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201


async def test_a_fault_of_ours_tells_nothing_and_keeps_its_id(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(sku: str) -> None:
        raise RuntimeError("secret connection string")

    monkeypatch.setattr(type(shop.gateway.carts), "current_of", lambda *_: broken(""))
    headers = {**shop.person("ada"), "X-Request-Id": "trace-me"}
    answer = await shop.http.get("/v1/carts/current", headers=headers)
    assert (answer.status_code, slug(answer)) == (500, "internal-error")
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] == "trace-me"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_other_origins_may_not_call(shop: Shop) -> None:
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    preflight = await shop.http.options("/v1/products", headers=headers)
    plain = await shop.http.get("/v1/products", headers={"Origin": "https://elsewhere.example"})
    assert preflight.status_code == 405
    assert "access-control-allow-origin" not in preflight.headers
    assert "access-control-allow-origin" not in plain.headers


async def test_readiness_names_what_is_down_and_liveness_does_not_care(shop: Shop) -> None:
    shop.workflows.fault = ProviderUnavailable("down")
    ready = await shop.http.get("/readyz")
    assert ready.status_code == 200, "the probe is the real one's, not the script's"
    assert ready.json() == {
        "status": "ready",
        "checks": {"database": "up", "temporal": "up", "valkey": "up", "carts": "up"},
    }
    assert (await shop.http.get("/healthz")).json() == {"status": "ok"}


async def test_the_docs_page_needs_nothing_from_elsewhere(shop: Shop) -> None:
    page = await shop.http.get("/docs")
    assert "<script" not in page.text
    assert "http://" not in page.text.replace("http://127.0.0.1", "")
    assert "/v1/checkouts" in page.text


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "sort=rank", "currency=pounds", "min_price=-1", "nope=1"]
)
async def test_query_parameters_are_checked_and_named(shop: Shop, query: str) -> None:
    answer = await shop.http.get(f"/v1/products?{query}")
    assert answer.status_code == 422
    slug(answer)
    name = query.partition("=")[0]
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/query/{name}"]


async def test_a_cursor_that_we_never_gave_is_refused(shop: Shop) -> None:
    answer = await shop.http.get("/v1/products", params={"cursor": "abc"})
    assert (answer.status_code, slug(answer)) == (400, "cursor-malformed")


@pytest.mark.parametrize("path", ["/v1/products/%00", "/v1/products/a%2Fb", "/v1/orders/%F0%9F%8D%B5"])
async def test_strange_ids_are_not_found(shop: Shop, path: str) -> None:
    answer = await shop.http.get(path, headers=shop.person("ada"))
    assert answer.status_code == 404


async def test_stock_of_an_unknown_sku_is_not_found(shop: Shop) -> None:
    headers = shop.person("wanda", "warehouse")
    assert (await shop.http.get("/v1/stock/NOPE", headers=headers)).status_code == 404
    known = await shop.http.get(f"/v1/stock/{SKU}", headers=headers)
    assert known.json()["available"] == (
        known.json()["on_hand"] - known.json()["allocated"] - known.json()["held"]
    )
