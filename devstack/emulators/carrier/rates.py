"""Services and prices: who carries from where, and what a parcel costs, in the origin's currency."""

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from devstack.emulators.carrier.documents import Address, Parcel, Rate, new_id, stamp


@dataclass(frozen=True)
class Service:
    """`base` for the parcel plus `per_pound` for each started pound of weight."""

    carrier: str
    name: str
    days: int
    base: Decimal
    per_pound: Decimal


_GB = (
    Service("RoyalMail", "RoyalMail48", 3, Decimal("2.85"), Decimal("0.60")),
    Service("RoyalMail", "RoyalMail24", 1, Decimal("3.95"), Decimal("0.75")),
    Service("RoyalMail", "SpecialDeliveryGuaranteed", 1, Decimal("7.35"), Decimal("1.20")),
)
_US = (
    Service("USPS", "GroundAdvantage", 4, Decimal("5.25"), Decimal("0.70")),
    Service("USPS", "Priority", 2, Decimal("7.10"), Decimal("1.10")),
    Service("USPS", "Express", 1, Decimal("26.80"), Decimal("2.40")),
)
_DOMESTIC = {"GB": _GB, "US": _US}
_ABROAD = (
    Service("DHLExpress", "ParcelInternational", 7, Decimal("9.40"), Decimal("1.90")),
    Service("DHLExpress", "ExpressWorldwide", 2, Decimal("24.50"), Decimal("3.75")),
)
_CURRENCIES = {"GB": "GBP", "US": "USD"}
_OUNCES_PER_POUND = 16
_ACCOUNT_IDS = {
    "RoyalMail": "ca_00000000000000000000000000000001",
    "USPS": "ca_00000000000000000000000000000002",
    "DHLExpress": "ca_00000000000000000000000000000003",
}


def quote(shipment_id: str, sender: Address, recipient: Address, parcel: Parcel, now: float) -> list[Rate]:
    """At least two services for every pair of countries, the slower one cheaper."""
    services = _DOMESTIC.get(sender.country, _ABROAD) if sender.country == recipient.country else _ABROAD
    pounds = math.ceil(Decimal(str(parcel.weight)) / _OUNCES_PER_POUND)
    return [
        Rate(
            id=new_id("rate"),
            created_at=stamp(now),
            updated_at=stamp(now),
            carrier=service.carrier,
            service=service.name,
            rate=str((service.base + service.per_pound * pounds).quantize(Decimal("0.01"), ROUND_HALF_UP)),
            currency=_CURRENCIES.get(sender.country, "EUR"),
            delivery_days=service.days,
            est_delivery_days=service.days,
            shipment_id=shipment_id,
            carrier_account_id=_ACCOUNT_IDS[service.carrier],
        )
        for service in services
    ]
