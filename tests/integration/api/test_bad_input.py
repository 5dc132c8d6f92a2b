"""Bad input: each a problem with a stable type that names the field, and nothing is created."""

from collections.abc import Iterator

import pytest

from tests.integration.api.bench import ADDRESS, OTHER_SKU, SKU, Shop, checkout_of, pointers, slug

TABLES = ("orders", "idempotency_keys", "audit", "timeline", "refunds", "stock_movements")
GUEST: dict[str, str] = {}


@pytest.fixture(autouse=True)
def nothing_is_created(shop: Shop) -> Iterator[None]:
    before = {table: shop.count(table) for table in TABLES}
    yield
    assert {table: shop.count(table) for table in TABLES} == before
    assert shop.workflows.checkouts == []


@pytest.mark.parametrize("quantity", [0, -1, 10_001, 10**30, 1.5, "2", True, None])
async def test_a_quantity_that_cannot_be_ordered(shop: Shop, quantity: object) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    answer = await shop.http.put(
        f"/v1/carts/{cart['id']}/items/{OTHER_SKU}", json={"quantity": quantity}, headers=headers
    )
    assert (answer.status_code, slug(answer), pointers(answer)) == (422, "invalid-quantity", ["/quantity"])
    shown = await shop.http.get(f"/v1/carts/{cart['id']}", headers=headers)
    assert [line["sku"] for line in shown.json()["lines"]] == [SKU]


async def test_an_unknown_sku(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    answer = await shop.http.put(
        f"/v1/carts/{cart['id']}/items/NOPE-1", json={"quantity": 1}, headers=headers
    )
    assert (answer.status_code, slug(answer), pointers(answer)) == (422, "unknown-sku", ["/path/sku"])
    assert answer.json()["errors"][0]["sku"] == "NOPE-1"


@pytest.mark.parametrize("currency", ["XXX", "gbp", "JPY", 826, None, "GBPP"])
async def test_an_unsupported_currency(shop: Shop, currency: object) -> None:
    answer = await shop.http.post("/v1/carts", json={"currency": currency})
    assert (answer.status_code, slug(answer), pointers(answer)) == (
        422,
        "unsupported-currency",
        ["/currency"],
    )


async def test_unknown_fields(shop: Shop) -> None:
    answer = await shop.http.post("/v1/carts", json={"currency": "GBP", "owner": "me"})
    assert (answer.status_code, slug(answer), pointers(answer)) == (422, "unknown-field", ["/owner"])


async def test_unknown_fields_deep_in_a_checkout(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    answer = await shop.check_out(cart["id"], headers, "k", shipping_address={**ADDRESS, "planet": "Earth"})
    assert (slug(answer), pointers(answer)) == ("unknown-field", ["/shipping_address/planet"])


async def test_somebody_elses_cart(shop: Shop) -> None:
    cart = await shop.cart(shop.person("ada"))
    stranger = await shop.check_out(cart["id"], shop.person("bob"), "k")
    guest = await shop.check_out(cart["id"], {"X-Cart-Token": "guess"}, "k")
    nobody = await shop.check_out(cart["id"], {}, "k")
    assert [stranger.status_code, guest.status_code, nobody.status_code] == [404, 404, 401]


async def test_an_empty_cart(shop: Shop) -> None:
    made = await shop.http.post("/v1/carts", json={"currency": "GBP"})
    headers = {"X-Cart-Token": made.json()["cart_token"]}
    answer = await shop.check_out(made.json()["id"], headers, "k")
    assert (answer.status_code, slug(answer), pointers(answer)) == (422, "empty-cart", ["/cart_id"])


@pytest.mark.parametrize(
    ("changes", "kind", "pointer"),
    [
        ({"shipping_method": "teleport"}, "unknown-shipping-method", "/shipping_method"),
        (
            {"payment": {"provider": "bitcoin", "token": "t"}},
            "unsupported-payment-provider",
            "/payment/provider",
        ),
        (
            {"payment": {"provider": "paypal", "token": "t"}},
            "unsupported-payment-provider",
            "/payment/provider",
        ),
        ({"payment": {"provider": "stripe"}}, "invalid-request", "/payment/token"),
        ({"email": "nobody"}, "invalid-request", "/email"),
        ({"email": "a@b.example\x00"}, "invalid-text", "/email"),
        ({"shipping_address": {**ADDRESS, "country": "XX"}}, "invalid-request", "/shipping_address/country"),
        ({"shipping_address": {**ADDRESS, "name": " "}}, "invalid-request", "/shipping_address/name"),
        ({"shipping_address": {**ADDRESS, "name": "A\x00"}}, "invalid-text", "/shipping_address/name"),
        ({"shipping_address": {**ADDRESS, "city": "a" * 121}}, "invalid-request", "/shipping_address/city"),
        ({"cart_id": "nonsense"}, "invalid-request", "/cart_id"),
        ({"expected_total": {"amount": -1, "currency": "GBP"}}, "invalid-request", "/expected_total/amount"),
        ({"expected_total": {"amount": 1.5, "currency": "GBP"}}, "invalid-request", "/expected_total/amount"),
    ],
)
async def test_fields_of_a_checkout(shop: Shop, changes: dict[str, object], kind: str, pointer: str) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    answer = await shop.check_out(cart["id"], headers, "k", **changes)
    assert (answer.status_code, slug(answer), pointers(answer)) == (422, kind, [pointer])


async def test_a_lone_surrogate(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    body = b'{"currency": "GBP", "x": "\\ud800"}'
    kind = {"Content-Type": "application/json"}
    assert (await shop.http.post("/v1/carts", content=body, headers=kind)).status_code == 422
    answer = await shop.http.post(
        f"/v1/orders/ord_{'0' * 26}/cancel",
        content=b'{"reason": "\\ud800"}',
        headers={**headers, **kind, "Idempotency-Key": "k"},
    )
    assert answer.status_code == 404
    support = await shop.http.post(
        f"/v1/orders/{await _order(shop)}/refunds",
        content=b'{"reason": "\\ud800"}',
        headers={**shop.person("sam", "support"), **kind, "Idempotency-Key": "k"},
    )
    assert (support.status_code, slug(support), pointers(support)) == (422, "invalid-text", ["/reason"])
    assert cart


async def _order(shop: Shop) -> str:
    return str(shop.rows("SELECT coalesce(max(id), 'ord_0') FROM orders")[0][0])


async def test_a_price_that_is_no_longer_right_shows_the_new_totals(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers, {SKU: 2, OTHER_SKU: 1})
    answer = await shop.check_out(cart["id"], headers, "k", expected_total={"amount": 848, "currency": "GBP"})
    assert (answer.status_code, slug(answer), pointers(answer)) == (409, "price-changed", ["/expected_total"])
    assert answer.json()["totals"] == {
        "subtotal": {"amount": 849, "currency": "GBP"},
        "discount": {"amount": 0, "currency": "GBP"},
        "shipping": {"amount": 0, "currency": "GBP"},
        "tax": {"amount": 142, "currency": "GBP"},
        "total": {"amount": 849, "currency": "GBP"},
    }


async def test_the_right_amount_in_another_currency_is_another_price(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    answer = await shop.check_out(cart["id"], headers, "k", expected_total={"amount": 510, "currency": "EUR"})
    assert slug(answer) == "price-changed"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (None, "idempotency-key-missing"),
        ("two words", "idempotency-key-malformed"),
        ("k" * 256, "idempotency-key-malformed"),
    ],
)
async def test_a_key_that_is_none(shop: Shop, key: str | None, kind: str) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    sent = {**headers, **({"Idempotency-Key": key} if key is not None else {})}
    answer = await shop.http.post("/v1/checkouts", json=checkout_of(cart["id"]), headers=sent)
    assert (answer.status_code, slug(answer)) == (400, kind)
    assert pointers(answer) == ["/header/idempotency-key"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"payment": {"provider": "stripe", "token": "4242424242424242"}}, "/payment/token"),
        ({"payment": {"provider": "stripe", "number": "4242 4242 4242 4242"}}, "/payment/number"),
        ({"shipping_address": {**ADDRESS, "line2": "5555-5555-5555-4444"}}, "/shipping_address/line2"),
        ({"card": 378282246310005}, "/card"),
    ],
)
async def test_a_card_number_is_refused_by_place_and_logged_nowhere(
    shop: Shop, changes: dict[str, object], pointer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    answer = await shop.check_out(cart["id"], headers, "k", **changes)
    assert (answer.status_code, slug(answer), pointers(answer)) == (422, "card-number-refused", [pointer])
    said = answer.text + "".join(capsys.readouterr())
    assert not any(part in said for part in ("42424242", "4242 4242", "5555-5555", "3782822463"))


async def test_a_refund_with_a_card_number_in_its_reason(shop: Shop) -> None:
    answer = await shop.http.post(
        f"/v1/orders/{await _order(shop)}/refunds",
        json={"reason": "to 4242424242424242 please"},
        headers={**shop.person("sam", "support"), "Idempotency-Key": "k"},
    )
    assert (slug(answer), pointers(answer)) == ("card-number-refused", ["/reason"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"warehouse": "main", "delta": 0, "reason": "x"}, ""),
        ({"warehouse": "main", "delta": 1.5, "reason": "x"}, "/delta"),
        ({"warehouse": "main", "delta": 1, "reason": ""}, "/reason"),
        ({"warehouse": "main", "delta": 10**9, "reason": "x"}, "/delta"),
    ],
)
async def test_fields_of_a_movement(shop: Shop, body: dict[str, object], pointer: str) -> None:
    answer = await shop.http.post(
        f"/v1/stock/{SKU}/movements",
        json=body,
        headers={**shop.person("wanda", "warehouse"), "Idempotency-Key": "k"},
    )
    assert answer.status_code == 422
    assert pointers(answer) == [pointer]


async def test_a_movement_into_a_warehouse_that_is_none(shop: Shop) -> None:
    answer = await shop.http.post(
        f"/v1/stock/{SKU}/movements",
        json={"warehouse": "moon", "delta": 1, "reason": "landing"},
        headers={**shop.person("wanda", "warehouse"), "Idempotency-Key": "k"},
    )
    assert answer.status_code == 404


async def test_more_than_there_is_cannot_be_taken(shop: Shop) -> None:
    answer = await shop.http.post(
        f"/v1/stock/{SKU}/movements",
        json={"warehouse": "main", "delta": -999_999, "reason": "fire"},
        headers={**shop.person("wanda", "warehouse"), "Idempotency-Key": "k"},
    )
    assert (answer.status_code, slug(answer)) == (409, "insufficient-stock")
