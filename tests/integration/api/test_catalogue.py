"""Products and the movements of stock."""

from uuid import uuid4

from tests.integration.api.bench import SKU, Shop, pointers, slug


def new_product(**changes: object) -> dict[str, object]:
    mark = uuid4().hex[:8]
    return {
        "slug": f"tea-{mark}",
        "title": "Tea",
        "description": "Two lines\nof text.",
        "categories": ["kitchen"],
        "tags": ["new"],
        "variants": [{"sku": f"TEA-{mark}", "price": {"amount": 450, "currency": "GBP"}}],
        **changes,
    }


async def _create(shop: Shop, **changes: object) -> tuple[dict[str, str], dict[str, object], str]:
    writer = shop.person("mary", "merchandiser")
    answer = await shop.http.post("/v1/products", json=new_product(**changes), headers=writer)
    assert answer.status_code == 201, answer.text
    return writer, answer.json(), answer.headers["etag"]


async def test_a_product_is_created_read_and_found(shop: Shop) -> None:
    _, product, etag = await _create(shop, title="Extraordinary samovar")
    read = await shop.http.get(f"/v1/products/{product['id']}")
    by_slug = await shop.http.get(f"/v1/products/{product['slug']}")
    assert read.json() == by_slug.json() == product
    assert read.headers["etag"] == etag == '"1"'
    found = await shop.http.get("/v1/products", params={"q": "samovar"})
    assert [item["id"] for item in found.json()["items"]] == [product["id"]]
    assert product["variants"][0]["price"] == {"amount": 450, "currency": "GBP"}  # type: ignore[index]
    audited = shop.rows("SELECT actor, action FROM audit WHERE object_id = %s", product["id"])
    assert audited == [("merchandiser:mary", "product.create")]


async def test_slug_and_sku_are_one_products_own(shop: Shop) -> None:
    writer, product, _ = await _create(shop)
    before = shop.count("products")
    for clash in (
        new_product(slug=product["slug"]),
        new_product(variants=[{"sku": SKU, "price": {"amount": 1, "currency": "GBP"}}]),
    ):
        answer = await shop.http.post("/v1/products", json=clash, headers=writer)
        assert (answer.status_code, slug(answer)) == (409, "product-exists")
    assert shop.count("products") == before


async def test_writing_needs_the_version_last_read(shop: Shop) -> None:
    writer, product, etag = await _create(shop)
    url = f"/v1/products/{product['id']}"
    body = new_product(slug=product["slug"], title="Green tea")
    missing = await shop.http.put(url, json=body, headers=writer)
    first = await shop.http.put(url, json=body, headers={**writer, "If-Match": etag})
    stale = await shop.http.put(url, json=body, headers={**writer, "If-Match": etag})
    assert (missing.status_code, slug(missing)) == (428, "precondition-required")
    assert (first.status_code, first.json()["title"], first.headers["etag"]) == (200, "Green tea", '"2"')
    assert (stale.status_code, slug(stale)) == (412, "precondition-failed")


async def test_a_merge_patch_changes_what_it_names(shop: Shop) -> None:
    writer, product, etag = await _create(shop)
    answer = await shop.http.patch(
        f"/v1/products/{product['id']}",
        content=b'{"title": "Black tea", "description": null, "tags": ["old"]}',
        headers={**writer, "If-Match": etag, "Content-Type": "application/merge-patch+json"},
    )
    after = answer.json()
    assert answer.status_code == 200
    assert (after["title"], after["description"], after["tags"]) == ("Black tea", "", ["old"])
    assert (after["slug"], after["variants"], after["categories"]) == (
        product["slug"],
        product["variants"],
        product["categories"],
    )


async def test_a_patch_that_leaves_no_whole_product_is_refused(shop: Shop) -> None:
    writer, product, etag = await _create(shop)
    headers = {**writer, "If-Match": etag}
    url = f"/v1/products/{product['id']}"
    without = await shop.http.patch(url, json={"title": None}, headers=headers)
    unknown = await shop.http.patch(url, json={"colour": "red"}, headers=headers)
    assert (without.status_code, pointers(without)) == (422, ["/title"])
    assert (unknown.status_code, slug(unknown), pointers(unknown)) == (422, "unknown-field", ["/colour"])
    assert (await shop.http.get(url)).headers["etag"] == etag


async def test_archiving_takes_it_off_sale_and_keeps_it(shop: Shop) -> None:
    writer, product, etag = await _create(shop)
    url = f"/v1/products/{product['id']}"
    stale = await shop.http.delete(url, headers={**writer, "If-Match": '"9"'})
    gone = await shop.http.delete(url, headers={**writer, "If-Match": etag})
    assert (stale.status_code, gone.status_code, gone.content) == (412, 204, b"")
    assert (await shop.http.get(url)).json()["archived"] is True
    listed = await shop.http.get("/v1/products", params={"q": product["variants"][0]["sku"]})  # type: ignore[index]
    assert listed.json()["items"] == []
    headers: dict[str, str] = {}
    cart = await shop.cart(headers)
    put = await shop.http.put(
        f"/v1/carts/{cart['id']}/items/{product['variants'][0]['sku']}",  # type: ignore[index]
        json={"quantity": 1},
        headers=headers,
    )
    assert slug(put) == "unknown-sku"


async def test_a_page_leads_to_the_next_without_gaps(shop: Shop) -> None:
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        params = {"limit": "7", "category": "kitchen", **({"cursor": cursor} if cursor else {})}
        page = (await shop.http.get("/v1/products", params=params)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    whole = (await shop.http.get("/v1/products", params={"limit": 21, "category": "kitchen"})).json()
    assert seen == [item["id"] for item in whole["items"]]
    assert len(set(seen)) == 21


async def test_prices_are_filtered_and_sorted_in_the_currency_asked_for(shop: Shop) -> None:
    params: dict[str, str | int] = {
        "min_price": 200,
        "max_price": 300,
        "sort": "price",
        "currency": "EUR",
        "limit": 50,
    }
    page = (await shop.http.get("/v1/products", params=params)).json()
    prices = [item["variants"][0]["price"] for item in page["items"]]
    assert prices
    assert all(price["currency"] == "EUR" and 200 <= price["amount"] <= 300 for price in prices)
    assert [price["amount"] for price in prices] == sorted(price["amount"] for price in prices)


async def test_a_movement_counts_once_per_key(shop: Shop) -> None:
    worker = shop.person("wanda", "warehouse")
    before = (await shop.http.get(f"/v1/stock/{SKU}", headers=worker)).json()
    body = {"warehouse": "main", "delta": 24, "reason": "Delivery"}
    key = {**worker, "Idempotency-Key": f"move-{uuid4()}"}
    url = f"/v1/stock/{SKU}/movements"
    first, again = [await shop.http.post(url, json=body, headers=key) for _ in range(2)]
    assert (first.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    after = (await shop.http.get(f"/v1/stock/{SKU}", headers=worker)).json()
    assert after["on_hand"] - before["on_hand"] == 24
    listed = (await shop.http.get(url, params={"limit": 1}, headers=worker)).json()
    assert listed["items"][0] == first.json()
    assert listed["next_cursor"]
    other = await shop.http.post(url, json={**body, "delta": 25}, headers=key)
    assert (other.status_code, slug(other)) == (422, "idempotency-key-reused")


async def test_a_movement_without_a_key_moves_nothing(shop: Shop) -> None:
    worker = shop.person("wanda", "warehouse")
    before = shop.count("stock_movements")
    answer = await shop.http.post(
        f"/v1/stock/{SKU}/movements",
        json={"warehouse": "main", "delta": 1, "reason": "Delivery"},
        headers=worker,
    )
    assert (answer.status_code, slug(answer)) == (400, "idempotency-key-missing")
    assert shop.count("stock_movements") == before
