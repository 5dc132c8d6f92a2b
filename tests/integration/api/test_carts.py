"""Carts, reservations and the stock behind them."""

import asyncio
from hashlib import sha256

from commerce.contracts.statuses import ReservationStatus
from commerce.domain.errors import NotFound, ProviderUnavailable
from tests.integration.api.bench import OTHER_SKU, SKU, Shop, pointers, slug


async def test_a_guest_gets_the_token_once_and_only_its_hash_is_kept(shop: Shop) -> None:
    made = await shop.http.post("/v1/carts", json={"currency": "GBP"})
    token = made.json()["cart_token"]
    assert len(token) >= 43
    shown = await shop.http.get(f"/v1/carts/{made.json()['id']}", headers={"X-Cart-Token": token})
    assert "cart_token" not in shown.json()
    stored = await shop.gateway.carts.get(made.json()["id"])
    assert stored.guest_key == sha256(token.encode()).hexdigest()
    assert stored.customer_id is None


async def test_a_persons_cart_has_no_token_and_is_always_new(shop: Shop) -> None:
    person = shop.person("carla")
    first = await shop.http.post("/v1/carts", json={"currency": "GBP"}, headers=person)
    second = await shop.http.post("/v1/carts", json={"currency": "EUR"}, headers=person)
    assert first.json()["cart_token"] is None
    assert first.json()["id"] != second.json()["id"]
    current = await shop.http.get("/v1/carts/current", headers=person)
    assert current.json()["id"] == second.json()["id"]
    assert first.headers["location"] == f"/v1/carts/{first.json()['id']}"


async def test_without_an_open_cart_there_is_no_current_one(shop: Shop) -> None:
    answer = await shop.http.get("/v1/carts/current", headers=shop.person("nobody-yet"))
    assert answer.status_code == 404


async def test_lines_show_prices_stock_and_why_the_total_is_what_it_is(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers, {SKU: 6, OTHER_SKU: 9999})
    shown = (await shop.http.get(f"/v1/carts/{cart['id']}", headers=headers)).json()
    first, second = shown["lines"]
    assert (first["sku"], first["unit_price"]["amount"], first["total"]["amount"]) == (SKU, 255, 1530)
    assert (first["in_stock"], second["in_stock"], second["for_sale"]) == (True, False, True)
    assert shown["totals"]["total"] == {"amount": 1530 + 9999 * 339, "currency": "GBP"}
    assert shown["explanation"][0] == {
        "text": "6 × White Hanging Heart T-Light Holder at 2.55 GBP",
        "amount": {"amount": 1530, "currency": "GBP"},
    }


async def test_setting_a_quantity_twice_is_one_line(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers, {SKU: 1})
    url = f"/v1/carts/{cart['id']}/items/{SKU}"
    for _ in range(2):
        answer = await shop.http.put(url, json={"quantity": 4}, headers=headers)
    assert [(line["sku"], line["quantity"]) for line in answer.json()["lines"]] == [(SKU, 4)]
    removed = [await shop.http.delete(url, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in removed] == [200, 200]
    assert removed[1].json()["lines"] == []


async def test_if_match_keeps_a_second_writer_from_undoing_the_first(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers, {SKU: 1})
    url = f"/v1/carts/{cart['id']}/items/{SKU}"
    etag = (await shop.http.get(f"/v1/carts/{cart['id']}", headers=headers)).headers["etag"]
    first = await shop.http.put(url, json={"quantity": 2}, headers={**headers, "If-Match": etag})
    second = await shop.http.put(url, json={"quantity": 3}, headers={**headers, "If-Match": etag})
    assert (first.status_code, second.status_code, slug(second)) == (200, 412, "precondition-failed")
    assert first.headers["etag"] != etag
    malformed = await shop.http.put(url, json={"quantity": 3}, headers={**headers, "If-Match": "three"})
    assert (malformed.status_code, pointers(malformed)) == (422, ["/header/if-match"])
    shown = await shop.http.get(f"/v1/carts/{cart['id']}", headers=headers)
    assert shown.json()["lines"][0]["quantity"] == 2


async def test_writers_without_if_match_all_get_through(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers, {SKU: 1})
    skus = [OTHER_SKU, "22752", "21730"]
    answers = await asyncio.gather(
        *(
            shop.http.put(f"/v1/carts/{cart['id']}/items/{sku}", json={"quantity": 1}, headers=headers)
            for sku in skus
        )
    )
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    shown = await shop.http.get(f"/v1/carts/{cart['id']}", headers=headers)
    assert {line["sku"] for line in shown.json()["lines"]} == {SKU, *skus}


async def test_an_ordered_cart_is_closed_to_writing(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    order_id = (await shop.check_out(cart["id"], headers, "closing")).json()["order_id"]
    await shop.gateway.carts.close(str(cart["id"]), order_id)
    url = f"/v1/carts/{cart['id']}/items/{SKU}"
    for answer in (
        await shop.http.put(url, json={"quantity": 1}, headers=headers),
        await shop.http.delete(url, headers=headers),
    ):
        assert (answer.status_code, slug(answer)) == (409, "cart-already-ordered")
        assert answer.json()["order_id"] == order_id


async def _reserve(shop: Shop, headers: dict[str, str], cart: dict[str, object]) -> str:
    answer = await shop.http.post(
        "/v1/reservations", json={"cart_id": cart["id"], "minutes": 15}, headers=headers
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "held"
    assert answer.headers["location"] == f"/v1/reservations/{answer.json()['id']}"
    return str(answer.json()["id"])


async def test_a_reservation_is_planned_extended_and_released(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers, {SKU: 3})
    reservation_id = await _reserve(shop, headers, cart)
    async with shop.gateway.database.reading() as tx:
        stored = await tx.stock.reservation(reservation_id)
    assert [(line.line_no, line.sku, line.quantity) for line in stored.lines] == [(1, SKU, 3)]
    assert (stored.cart_id, stored.minutes) == (cart["id"], 15)
    longer = await shop.http.post(
        f"/v1/reservations/{reservation_id}/extend", json={"minutes": 5}, headers=headers
    )
    gone = await shop.http.delete(f"/v1/reservations/{reservation_id}", headers=headers)
    assert (longer.status_code, longer.json()["status"]) == (200, "held")
    assert (gone.status_code, gone.json()["status"]) == (200, "released")


async def test_a_cart_holds_stock_once(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    await _reserve(shop, headers, cart)
    again = await shop.http.post(
        "/v1/reservations", json={"cart_id": cart["id"], "minutes": 15}, headers=headers
    )
    assert (again.status_code, slug(again)) == (409, "reservation-exists")


async def test_without_temporal_nothing_is_held_and_the_cart_may_try_again(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    shop.workflows.fault = ProviderUnavailable("no Temporal")
    refused = await shop.http.post(
        "/v1/reservations", json={"cart_id": cart["id"], "minutes": 15}, headers=headers
    )
    assert (refused.status_code, slug(refused)) == (503, "temporarily-unavailable")
    assert refused.headers["retry-after"]
    shop.workflows.fault = None
    await _reserve(shop, headers, cart)


async def test_a_hold_that_is_over_cannot_be_extended_and_may_be_released(shop: Shop) -> None:
    headers: dict[str, str] = {}
    reservation_id = await _reserve(shop, headers, await shop.cart(headers))
    shop.workflows.fault = NotFound("reservation", reservation_id)
    longer = await shop.http.post(
        f"/v1/reservations/{reservation_id}/extend", json={"minutes": 5}, headers=headers
    )
    released = await shop.http.delete(f"/v1/reservations/{reservation_id}", headers=headers)
    assert (longer.status_code, slug(longer)) == (409, "reservation-closed")
    assert released.status_code == 200
    assert released.json()["status"] in {status.value for status in ReservationStatus}


async def test_minutes_are_bounded(shop: Shop) -> None:
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    for minutes in (0, 61, "5"):
        answer = await shop.http.post(
            "/v1/reservations", json={"cart_id": cart["id"], "minutes": minutes}, headers=headers
        )
        assert (answer.status_code, pointers(answer)) == (422, ["/minutes"])
