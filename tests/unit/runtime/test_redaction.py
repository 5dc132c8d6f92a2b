from dataclasses import dataclass, field

import pytest
from pydantic import BaseModel, SecretStr

from commerce.domain.orders import Address
from commerce.runtime.redaction import HIDDEN, is_sensitive, redact, redact_text

ADA = Address("Ada Lovelace", "12 St James's Square", "London", "SW1Y 4JH", "GB", phone="+44 20 7946 0000")


@pytest.mark.parametrize(
    "name",
    [
        *("email", "customer_email", "name", "Name", "first_name", "address", "shipping_address", "line1"),
        *("postal_code", "phone", "Authorization", "token", "cart_token", "X-Cart-Token", "accessToken"),
        *(
            "secret",
            "client_secret",
            "stripe_webhook_secret",
            "password",
            "api_key",
            "Stripe-Signature",
            "to",
        ),
    ],
)
def test_fields_about_people_and_secrets_are_hidden_by_name(name: str) -> None:
    assert redact({name: "Ada"}) == {name: HIDDEN}


@pytest.mark.parametrize(
    "name",
    ["order_id", "number", "status", "route", "activity", "workflow_type", "event", "seconds", "topic"],
)
def test_other_fields_are_shown(name: str) -> None:
    assert not is_sensitive(name)


def test_an_absent_value_is_shown_as_absent() -> None:
    assert redact({"email": None}) == {"email": None}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mail to ada.love+1@mail.example.org failed", f"mail to {HIDDEN} failed"),
        ("key sk_test_4eC39HqLyjWDarjtT1zdp7dc used", f"key {HIDDEN} used"),
        ("rk_live_51H8 and whsec_abc123DEF", f"{HIDDEN} and {HIDDEN}"),
        ("pi_3Mtw_secret_YrKJUKrib", HIDDEN),
        ("Authorization: Bearer abc.def-ghi", f"Authorization: {HIDDEN}"),
        ("token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", f"token {HIDDEN}"),
        ("redis://user:pa55@127.0.0.1:6379/0", f"redis://{HIDDEN}@127.0.0.1:6379/0"),
        ("card 4242424242424242 declined", f"card {HIDDEN} declined"),
        ("card 4242 4242 4242 4242.", f"card {HIDDEN}."),
        ("amex 3782-822463-10005", f"amex {HIDDEN}"),
    ],
)
def test_texts_lose_what_looks_like_a_secret(text: str, shown: str) -> None:
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "order CC-100001 of 3999 minor units",
        "4242424242424241 fails the check sum",
        "123456789012",
        "2026-11-24T12:00:00.000000Z",
        "ord_01m86zaj51f8jqc0b2p9da6hgm",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "http://127.0.0.1:8000/v1/orders/{id}",
    ],
)
def test_ordinary_texts_are_left_alone(text: str) -> None:
    assert redact_text(text) == text


def test_numbers_that_look_like_cards_are_hidden() -> None:
    assert redact([4242424242424242, 3999, True, 1.5]) == [HIDDEN, 3999, True, 1.5]


class _Model(BaseModel):
    order_id: str
    email: str
    key: SecretStr = SecretStr("hush")


@dataclass(frozen=True)
class _Parcel:
    shipment_id: str
    ship_to: Address
    tags: frozenset[str] = field(default_factory=lambda: frozenset({"ada@example.org"}))


def test_nothing_hides_in_nested_objects() -> None:
    value = {
        "parcels": [(_Parcel("shp_1", ADA),)],
        "model": _Model(order_id="ord_1", email="ada@example.org"),
        "error": ValueError("no such mailbox: ada@example.org"),
    }

    shown = redact(value)

    text = str(shown)
    assert all(
        secret not in text for secret in ("Ada", "James", "London", "SW1Y", "7946", "@example", "hush")
    )
    assert "shp_1" in text
    assert "ord_1" in text
    assert "'country': 'GB'" in text


def test_what_is_too_deep_is_hidden_and_not_followed() -> None:
    loop: dict[str, object] = {}
    loop["again"] = loop

    assert HIDDEN in str(redact(loop))
