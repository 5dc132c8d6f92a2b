import pytest
from jinja2 import UndefinedError

from commerce.contracts.notifications import NotificationKind
from commerce.providers.mail_templates import render

DATA: dict[str, str | int | None] = {
    "number": "CC-100001",
    "currency": "GBP",
    "total": 13910,
    "refund_amount": 1050,
    "tracking_code": "EZ1000000001",
    "tracking_url": "https://track.example.com/EZ1000000001",
    "carrier": "USPS",
}


@pytest.mark.parametrize("kind", NotificationKind)
def test_every_kind_has_all_its_parts_and_names_the_order(kind: NotificationKind) -> None:
    mail = render(kind, "en", DATA)

    assert "CC-100001" in mail.subject
    assert "CC-100001" in mail.text
    assert "CC-100001" in mail.html
    assert "\n" not in mail.subject
    assert "{" not in mail.subject + mail.text + mail.html


def test_an_order_placed_says_what_it_costs() -> None:
    mail = render(NotificationKind.ORDER_PLACED, "en", DATA)

    assert mail.subject == "We have your order CC-100001"
    assert mail.text == (
        "Thank you for your order CC-100001.\n\nTotal: 139.10 GBP\n\n"
        "We will write again as soon as it is on its way.\n"
    )
    assert "<strong>139.10 GBP</strong>" in mail.html


def test_a_refund_says_how_much_in_the_currency_s_own_decimals() -> None:
    mail = render(NotificationKind.ORDER_REFUNDED, "en", {**DATA, "currency": "JPY"})

    assert "We have refunded 1050 JPY" in mail.text


def test_a_shipment_links_to_its_tracking_page() -> None:
    mail = render(NotificationKind.ORDER_SHIPPED, "en", DATA)

    assert "Tracking code: EZ1000000001 (USPS)\n" in mail.text
    assert 'href="https://track.example.com/EZ1000000001"' in mail.html


def test_a_shipment_without_tracking_says_nothing_of_it() -> None:
    mail = render(NotificationKind.ORDER_SHIPPED, "en", {"number": "CC-1", "tracking_code": None})

    assert "Tracking" not in mail.text + mail.html
    assert "None" not in mail.text + mail.html


def test_what_a_carrier_sends_cannot_break_out_of_the_html() -> None:
    data = {**DATA, "tracking_code": "<script>x</script>", "tracking_url": 'javascript:alert("x")'}

    mail = render(NotificationKind.ORDER_SHIPPED, "en", data)

    assert "<script>" not in mail.html
    assert "&lt;script&gt;" in mail.html
    assert "javascript:" not in mail.html + mail.text


def test_a_subject_stays_one_line() -> None:
    mail = render(NotificationKind.ORDER_PLACED, "en", {**DATA, "number": "CC-1\r\nBcc: x@example.org"})

    assert mail.subject == "We have your order CC-1 Bcc: x@example.org"


@pytest.mark.parametrize("locale", ["en", "en-GB", "en_US", "xx", "../../secret", ""])
def test_an_unknown_language_is_answered_in_english(locale: str) -> None:
    assert render(NotificationKind.ORDER_PLACED, locale, DATA) == render(
        NotificationKind.ORDER_PLACED, "en", DATA
    )


def test_a_missing_field_is_an_error_and_not_a_mail_with_a_hole() -> None:
    with pytest.raises(UndefinedError):
        render(NotificationKind.ORDER_PLACED, "en", {"number": "CC-1"})
