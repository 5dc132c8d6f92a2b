"""The port `Carrier` at EasyPost.

A shipment there carries our shipment id as its reference. EasyPost has no idempotency keys and does not keep
references unique, so every step first looks the parcel up; making a shipment costs nothing, buying it does.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from easypost.easypost_client import EasyPostClient
from easypost.models.shipment import Shipment
from pydantic import BaseModel, ConfigDict, Field

from commerce.domain.errors import ProviderError, ProviderOutcomeUnknown, ProviderRefused
from commerce.domain.messaging import InboxEvent
from commerce.domain.orders import Address
from commerce.domain.providers import BoughtLabel, ParcelRequest, ProviderEvent, TrackingFact
from commerce.providers.carrier import failures
from commerce.providers.carrier.account import EasyPostAccount
from commerce.providers.carrier.calls import Calls
from commerce.providers.carrier.tracking import TrackerNews, read_news
from commerce.providers.carrier.webhooks import PROVIDER, parse_event

_BOUGHT_LATELY = 100
_AT_HOME = frozenset({"unknown", "pre_transit", "cancelled"})
_VOID = frozenset({"submitted", "refunded", "not_applicable"})
"""`not_applicable`: a carrier that charges at the first scan, so that an unused label costs nothing."""


class _Rate(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    carrier: str
    rate: Decimal
    delivery_days: int | None = None


class _Rates(BaseModel):
    rates: list[_Rate]


class _Label(BaseModel):
    label_url: str


class _Shipment(BaseModel):
    id: str
    reference: str | None = None
    rates: list[_Rate] = Field(default_factory=list)
    selected_rate: _Rate | None = None
    postage_label: _Label | None = None
    tracking_code: str | None = None
    tracker: TrackerNews | None = None
    refund_status: str | None = None


class EasyPostCarrier:
    name: str = PROVIDER

    def __init__(self, account: EasyPostAccount) -> None:
        self._account = account
        self._calls = Calls(account)

    async def close(self) -> None:
        await self._calls.close()

    async def buy_label(self, request: ParcelRequest) -> BoughtLabel:
        """The cheapest service. Raises ProviderRefused for a label that was voided: that is for good."""
        shipment = await self._find(request.shipment_id)
        if shipment is None:
            shipment = await self._create(request)
        elif shipment.postage_label is None:
            shipment = await self._rated_again(shipment)
        if shipment.postage_label is None:
            shipment = await self._buy(shipment)
        if shipment.refund_status in _VOID:
            raise ProviderRefused(f"the label of {request.shipment_id} was voided", code="label_voided")
        return _bought(shipment)

    async def void_label(self, shipment_id: str) -> bool:
        """True also when it was void before."""
        shipment = await self._find(shipment_id)
        if shipment is None or shipment.postage_label is None:
            return False
        if shipment.refund_status in _VOID:
            return True
        if shipment.tracker is not None and shipment.tracker.status not in _AT_HOME:
            raise ProviderRefused(f"the parcel {shipment_id} is on its way", code="handed_over")
        try:
            shipment = await self._post_refund(shipment.id)
        except ProviderRefused:
            shipment = await self._retrieve(shipment.id)
            if shipment.refund_status not in _VOID:
                raise
        if shipment.refund_status not in _VOID:
            raise ProviderRefused(f"the refund of {shipment_id} was rejected", code="refund_rejected")
        return True

    async def track(self, shipment_id: str) -> ProviderEvent | None:
        shipment = await self._find(shipment_id)
        tracker = shipment.tracker if shipment is not None else None
        if tracker is None or not tracker.tracking_details:
            return None
        newest = tracker.facts(shipment_id)[-1]
        return ProviderEvent(
            provider=PROVIDER,
            event_id=f"asked:{newest.event_id}",
            kind="tracker.asked",
            occurred_at=newest.occurred_at,
            shipment_id=shipment_id,
            provider_ref=tracker.tracking_code,
            data={"result": tracker.model_dump(mode="json")},
        )

    def parse_webhook(self, payload: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        return parse_event(payload, headers, self._account.webhook_secret)

    def facts(self, event: InboxEvent) -> Sequence[TrackingFact]:
        """Empty for an event that is about no parcel."""
        news = read_news(event.data.get("result"))
        return [] if news is None else news.facts(event.shipment_id)

    async def _find(self, shipment_id: str) -> _Shipment | None:
        """By reference; one without a label may hide an older twin that was bought, so look for that too."""
        try:
            found = await self._retrieve(shipment_id)
        except ProviderError as error:
            if failures.is_missing(error):
                return None
            raise
        if found.postage_label is not None:
            return found
        twins = await self._calls.run(_bought_lately, effect=False)
        return next((twin for twin in twins if twin.reference == shipment_id), found)

    async def _retrieve(self, key: str) -> _Shipment:
        return await self._calls.run(lambda client: _read(client.shipment.retrieve(key)), effect=False)

    async def _create(self, request: ParcelRequest) -> _Shipment:
        draft = {
            "reference": request.shipment_id,
            "from_address": _address(self._account.sender),
            "to_address": _address(request.ship_to),
            "parcel": {"weight": self._account.ounces_per_piece * request.pieces},
        }
        return await self._calls.run(lambda client: _read(client.shipment.create(**draft)), effect=False)

    async def _rated_again(self, shipment: _Shipment) -> _Shipment:
        """Rates run out; a shipment left by an earlier attempt may be days old."""
        answer = await self._calls.run(
            lambda client: client.shipment.regenerate_rates(shipment.id), effect=False
        )
        rates = _Rates.model_validate(answer, from_attributes=True).rates
        return shipment.model_copy(update={"rates": rates})

    async def _buy(self, shipment: _Shipment) -> _Shipment:
        rate = min(shipment.rates, key=lambda one: (one.rate, one.delivery_days or 99), default=None)
        if rate is None:
            raise ProviderRefused(f"nobody carries {shipment.reference} to its address", code="no_rates")
        rate_id = rate.id
        try:
            return await self._calls.run(
                lambda client: _read(client.shipment.buy(shipment.id, rate={"id": rate_id})),
                effect=True,
            )
        except ProviderRefused as refused:
            if refused.code != failures.POSTAGE_EXISTS:
                raise
            return await self._retrieve(shipment.id)

    async def _post_refund(self, easypost_id: str) -> _Shipment:
        return await self._calls.run(lambda client: _read(client.shipment.refund(easypost_id)), effect=True)


def _read(answer: Shipment) -> _Shipment:
    return _Shipment.model_validate(answer.to_dict())


def _bought_lately(client: EasyPostClient) -> list[_Shipment]:
    """The account's newest purchases, as many as one page holds."""
    page = client.shipment.all(purchased=True, page_size=_BOUGHT_LATELY)
    return [_read(one) for one in page["shipments"]]


def _bought(shipment: _Shipment) -> BoughtLabel:
    label, code, rate = shipment.postage_label, shipment.tracking_code, shipment.selected_rate
    if label is None or code is None or rate is None:
        raise ProviderOutcomeUnknown(f"EasyPost: {shipment.id} has no label yet", code="no_label_yet")
    return BoughtLabel(
        carrier=rate.carrier,
        carrier_ref=shipment.id,
        tracking_code=code,
        label_url=label.label_url,
        tracking_url=shipment.tracker.public_url if shipment.tracker is not None else None,
    )


def _address(address: Address) -> dict[str, str]:
    fields = {
        "name": address.name,
        "company": address.company,
        "street1": address.line1,
        "street2": address.line2,
        "city": address.city,
        "state": address.region,
        "zip": address.postal_code,
        "country": address.country,
        "phone": address.phone,
    }
    return {name: value for name, value in fields.items() if value}
