"""Renders a notification. Templates lie in a folder per language; a missing one falls back to English."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from commerce.contracts.money import Money
from commerce.contracts.notifications import NotificationKind

DEFAULT_LOCALE = "en"

_FOLDER = Path(__file__).parent
_OPTIONAL = ("tracking_code", "tracking_url", "carrier")


@dataclass(frozen=True)
class RenderedMail:
    subject: str
    text: str
    html: str


def render(kind: NotificationKind, locale: str, data: Mapping[str, str | int | None]) -> RenderedMail:
    """`data` is a notification's: number, currency, total and refund_amount in minor units, tracking_….

    `locale` is a language tag (`de-AT` falls back to `de`, then to English). Raises UndefinedError for a
    field that the kind needs and `data` lacks.
    """
    fields = _fields(data)

    def part(name: str) -> str:
        return _template(kind, name, locale).render(fields)

    subject = " ".join(part("subject.txt").split())
    return RenderedMail(subject, part("text.txt").strip() + "\n", part("body.html"))


def _fields(data: Mapping[str, str | int | None]) -> dict[str, str | int | None]:
    fields: dict[str, str | int | None] = dict.fromkeys(_OPTIONAL)
    currency = data.get("currency")
    for name, value in data.items():
        if name in {"total", "refund_amount"} and isinstance(value, int):
            fields[name] = str(Money(value, str(currency)))
        elif value is not None:
            fields[name] = value
    if not str(fields["tracking_url"] or "").startswith(("https://", "http://")):
        fields["tracking_url"] = None
    return fields


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(["html"], default_for_string=True, default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(kind: NotificationKind, part: str, locale: str) -> Template:
    return _environment().select_template([f"{tag}/{kind}.{part}" for tag in _tags(locale)])


def _tags(locale: str) -> Iterator[str]:
    tag = locale.replace("_", "-").lower()
    if tag.replace("-", "").isalnum():
        yield tag
        yield tag.partition("-")[0]
    yield DEFAULT_LOCALE
