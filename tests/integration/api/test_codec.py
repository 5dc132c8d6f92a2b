"""The codec endpoint: opens payloads for support in the Temporal UI, and for nobody else."""

import base64
import re
from hashlib import sha256
from typing import Any

from google.protobuf.json_format import MessageToDict
from temporalio.api.common.v1 import Payload

from commerce.runtime.codec import EncryptingCodec
from tests.integration.api.bench import Shop, pointers, slug

UI = "http://127.0.0.1:8233"
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'{"order_id": "ord_1"}')


async def _sealed(key: bytes = bytes(32)) -> dict[str, Any]:
    payloads = await EncryptingCodec({"k1": key}).encode([PLAIN])
    return {"payloads": [MessageToDict(payload) for payload in payloads]}


async def test_support_reads_what_the_history_holds(shop: Shop) -> None:
    headers = {**shop.person("sam", "support"), "X-Namespace": "default"}
    answer = await shop.http.post("/codec/decode", json=await _sealed(), headers=headers)
    (opened,) = answer.json()["payloads"]
    assert base64.b64decode(opened["data"]) == PLAIN.data
    assert base64.b64decode(opened["metadata"]["encoding"]) == b"json/plain"


async def test_customers_and_strangers_do_not(shop: Shop) -> None:
    sealed = await _sealed()
    anonymous = await shop.http.post("/codec/decode", json=sealed)
    customer = await shop.http.post("/codec/decode", json=sealed, headers=shop.person("ada"))
    assert (anonymous.status_code, customer.status_code) == (401, 403)


async def test_payloads_of_another_key_are_refused(shop: Shop) -> None:
    answer = await shop.http.post(
        "/codec/decode", json=await _sealed(b"x" * 32), headers=shop.person("root", "admin")
    )
    garbage = await shop.http.post(
        "/codec/decode", json={"payloads": [{"data": 5}]}, headers=shop.person("root", "admin")
    )
    for refused in (answer, garbage):
        assert (refused.status_code, slug(refused), pointers(refused)) == (
            422,
            "invalid-request",
            ["/payloads"],
        )


async def test_only_the_temporal_uis_pages_may_call(shop: Shop) -> None:
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-namespace",
    }
    ours = await shop.http.options("/codec/decode", headers={**asked, "Origin": UI})
    assert ours.status_code == 200
    assert ours.headers["access-control-allow-origin"] == UI
    assert ours.headers["access-control-allow-credentials"] == "true"
    theirs = await shop.http.options("/codec/decode", headers={**asked, "Origin": "https://evil.example"})
    assert (theirs.status_code, slug(theirs)) == (403, "forbidden")
    assert "access-control-allow-origin" not in theirs.headers
    refused = await shop.http.post("/codec/decode", json=await _sealed(), headers={"Origin": UI})
    assert refused.headers["access-control-allow-origin"] == UI, "the UI may read why it was refused"


async def test_a_session_cookie_opens_the_codec_and_nothing_else(shop: Shop) -> None:
    signed_in = await shop.http.post("/codec/session", headers=shop.person("sam", "support"))
    cookie = signed_in.headers["set-cookie"]
    assert signed_in.status_code == 204
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/codec"))
    opened = await shop.http.post("/codec/decode", json=await _sealed(), headers={"Origin": UI})
    assert opened.status_code == 200
    value = cookie.partition("=")[2].partition(";")[0]
    elsewhere = await shop.http.get("/v1/me", headers={"Cookie": f"codec_token={value}"})
    assert elsewhere.status_code == 401


async def test_a_customer_gets_no_session(shop: Shop) -> None:
    answer = await shop.http.post("/codec/session", headers=shop.person("ada"))
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_the_sign_in_page_runs_its_own_script_alone_and_says_what_to_set(shop: Shop) -> None:
    answer = await shop.http.get("/codec/sign-in")
    assert answer.status_code == 200
    (script,) = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"script-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert f'href="{UI}"' in answer.text
    endpoint = str(shop.http.base_url).rstrip("/") + "/codec"
    assert f"<code>{endpoint}</code>" in answer.text
