"""Webhooks: verified over the raw bytes, stored once, acknowledged; a forgery leaves nothing behind."""

import asyncio
import hashlib
import hmac
import json
import time
from uuid import uuid4

import httpx
import pytest

from tests.integration.api.bench import Shop, slug

SECRET = "whsec_devstack"


def stripe_event(event_id: str, **metadata: str) -> bytes:
    intent = {"id": "pi_1", "object": "payment_intent", "metadata": metadata, "client_secret": "pi_1_secret"}
    return json.dumps(
        {
            "id": event_id,
            "object": "event",
            "type": "payment_intent.amount_capturable_updated",
            "created": int(time.time()),
            "data": {"object": intent},
        }
    ).encode()


def stripe_signature(payload: bytes, secret: str = SECRET, age: int = 0) -> dict[str, str]:
    stamp = int(time.time()) - age
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + payload, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={mac}", "Content-Type": "application/json"}


def carrier_event(event_id: str) -> bytes:
    tracker = {"id": "trk_1", "object": "Tracker", "tracking_code": "EZ1", "status": "delivered"}
    return json.dumps(
        {
            "id": event_id,
            "object": "Event",
            "description": "tracker.updated",
            "created_at": "2026-11-24T10:00:00Z",
            "result": tracker,
        }
    ).encode()


def carrier_signature(payload: bytes, secret: str = SECRET) -> dict[str, str]:
    mac = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
    return {"X-Hmac-Signature": f"hmac-sha256-hex={mac}"}


async def _send(shop: Shop, path: str, payload: bytes, headers: dict[str, str]) -> httpx.Response:
    return await shop.http.post(f"/v1/webhooks/{path}", content=payload, headers=headers)


async def test_an_event_is_stored_with_our_ids_before_it_is_acknowledged(shop: Shop) -> None:
    event_id = f"evt_{uuid4().hex}"
    payload = stripe_event(event_id, order_id="ord_1", payment_id="pay_1")
    answer = await _send(shop, "stripe", payload, stripe_signature(payload))
    assert (answer.status_code, answer.json()) == (200, {"received": True, "duplicate": False})
    rows = shop.rows("SELECT provider, order_id, payment_id, kind FROM inbox WHERE event_id = %s", event_id)
    assert rows == [("stripe", "ord_1", "pay_1", "payment_intent.amount_capturable_updated")]


async def test_an_event_that_comes_again_is_acknowledged_and_stored_once(shop: Shop) -> None:
    event_id = f"evt_{uuid4().hex}"
    payload = stripe_event(event_id)
    headers = stripe_signature(payload)
    answers = await asyncio.gather(*(_send(shop, "stripe", payload, headers) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert sorted(answer.json()["duplicate"] for answer in answers) == [False, True, True, True]
    assert shop.rows("SELECT count(*) FROM inbox WHERE event_id = %s", event_id) == [(1,)]


async def test_a_carriers_news_is_stored(shop: Shop) -> None:
    event_id = f"evt_{uuid4().hex}"
    payload = carrier_event(event_id)
    answer = await _send(shop, "carriers/easypost", payload, carrier_signature(payload))
    assert answer.status_code == 200
    assert shop.rows("SELECT provider, provider_ref FROM inbox WHERE event_id = %s", event_id) == [
        ("easypost", "EZ1")
    ]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("stripe", {}),
        ("stripe", {"Stripe-Signature": "t=1,v1=00"}),
        ("stripe", stripe_signature(stripe_event("evt_forged"), secret="whsec_guess")),
        ("stripe", stripe_signature(b"another body")),
        ("stripe", stripe_signature(stripe_event("evt_forged"), age=3600)),
        ("carriers/easypost", {}),
        ("carriers/easypost", {"X-Hmac-Signature": "hmac-sha256-hex=00"}),
        ("carriers/easypost", carrier_signature(carrier_event("evt_forged"), secret="guess")),
    ],
)
async def test_a_forgery_is_refused_and_stores_nothing(
    shop: Shop, path: str, headers: dict[str, str]
) -> None:
    before = shop.count("inbox")
    payload = stripe_event("evt_forged") if path == "stripe" else carrier_event("evt_forged")
    answer = await _send(shop, path, payload, headers)
    assert (answer.status_code, slug(answer)) == (400, "webhook-signature-invalid")
    assert shop.count("inbox") == before


async def test_a_signed_body_that_is_no_event_is_refused(shop: Shop) -> None:
    before = shop.count("inbox")
    answer = await _send(shop, "stripe", b"[1]", stripe_signature(b"[1]"))
    assert answer.status_code == 400
    assert shop.count("inbox") == before


async def test_too_large_a_body_is_refused_whatever_its_signature(shop: Shop) -> None:
    payload = b" " * (256 * 1024 + 1)
    answer = await _send(shop, "stripe", payload, stripe_signature(payload))
    assert (answer.status_code, slug(answer)) == (413, "body-too-large")


async def test_an_unknown_sender_is_not_found(shop: Shop) -> None:
    for path in ("carriers/pigeon", "paypal"):
        answer = await _send(shop, path, b"{}", {})
        assert (answer.status_code, slug(answer)) == (404, "not-found")
