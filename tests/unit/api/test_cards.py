import json

import pytest
from starlette.requests import Request

from api.cards import looks_like_card, refuse_card_numbers
from api.errors import CardNumberRefused
from api.schemas.base import ID_PATTERN


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424242",
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "card: 378282246310005.",
        "6304000000000000",
        "4222222222222",
        "\uff14\uff12\uff14\uff12" * 4,
        "ring twice, then 5555 5555 5555 4444 please",
    ],
)
def test_a_number_with_a_right_check_digit_looks_like_a_card(text: str) -> None:
    assert looks_like_card(text)


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424241",
        "424242424242",
        "42424242424242424242",
        "0000000000000000",
        "pm_card_visa",
        "cart_01k0m3v9x2c4q8r7t5w6y1z3ab",
        "cart_4242424242424242",
        "536365, 85123A × 6",
    ],
)
def test_other_numbers_and_our_own_ids_do_not(text: str) -> None:
    assert not looks_like_card(text)


def test_own_ids_are_recognised_by_their_shape() -> None:
    assert ID_PATTERN == r"^[a-z]{2,5}_[0-9a-z]{1,64}$"


def _request(body: bytes) -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"payment": {"token": "4242424242424242"}}, "/payment/token"),
        ({"payment": {"number": 4242424242424242}}, "/payment/number"),
        ({"notes": ["hello", "5555 5555 5555 4444"]}, "/notes/1"),
        ({"shipping_address": {"phone": "4242424242424242"}}, "/shipping_address/phone"),
        ({"4242424242424242": 1}, ""),
    ],
)
async def test_a_card_number_anywhere_is_refused_by_place_alone(
    body: dict[str, object], pointer: str
) -> None:
    with pytest.raises(CardNumberRefused) as refused:
        await refuse_card_numbers(_request(json.dumps(body).encode()))
    assert [fault.pointer for fault in refused.value.faults] == [pointer]
    assert "4242" not in refused.value.faults[0].detail


async def test_an_international_phone_number_is_none() -> None:
    phone = "+4242424242424242"
    assert looks_like_card(phone)
    await refuse_card_numbers(_request(json.dumps({"shipping_address": {"phone": phone}}).encode()))


async def test_a_body_that_is_no_json_is_left_to_the_parser() -> None:
    await refuse_card_numbers(_request(b"{4242424242424242"))
