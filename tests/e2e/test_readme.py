"""README's curl lines, run as they stand there by a shell against the running shop."""

import asyncio
import json
from pathlib import Path

from support.documents import ROOT, section, shell_blocks
from support.shop import Shop

CANCELLED = "Cancelled; goods and money are back"


async def run(script: str, folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *("sh", "-eu"),
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(script.encode())
    assert process.returncode == 0, f"{out.decode()}\n{err.decode()}"
    return out.decode()


def write_endpoints(shop: Shop, folder: Path) -> None:
    (folder / ".devstack").mkdir()
    endpoints = {
        "gateway": str(shop.http.base_url).rstrip("/"),
        "stripe_api": shop.stripe.url,
        "carrier_api": shop.carrier.url,
        "tokens": shop.tokens,
    }
    (folder / ".devstack" / "endpoints.json").write_text(json.dumps(endpoints))


async def test_the_curl_lines_buy_refund_cancel_decline_and_confirm(shop: Shop, tmp_path: Path) -> None:
    write_endpoints(shop, tmp_path)
    blocks = shell_blocks(section((ROOT / "README.md").read_text(), "Buy something"))
    said = (await run("\n".join(blocks), tmp_path)).splitlines()
    assert said[0] == "71053"
    assert said[1] == "{'amount': 678, 'currency': 'GBP'}"
    first = said[2]
    assert said.count('"text":"The parcel was delivered."') == 2
    assert said.count("Delivered") == 2
    assert "{'amount': 339, 'currency': 'GBP'}" in said
    assert CANCELLED in said
    assert any("payment-declined" in line for line in said)
    assert "requires_capture" in said
    refunded = await shop.wait_for(first, lambda order: order["payment_status"] == "partially_refunded")
    assert refunded["payments"][0]["captured"] == {"amount": 678, "currency": "GBP"}
    assert refunded["refunds"][0]["amount"] == {"amount": 339, "currency": "GBP"}
    assert await shop.broken_invariants() == []
