"""Turns request bodies into documents, or refuses them as EasyPost does."""

from collections.abc import Mapping
from typing import cast

from pydantic import JsonValue

from devstack.emulators.carrier.documents import Address, Parcel, Shipment, new_id, stamp
from devstack.emulators.carrier.errors import FieldError, Refusal, invalid, required
from devstack.emulators.carrier.rates import quote
from devstack.emulators.common.jsonvalue import JSON

_COUNTRY_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT
BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH
ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT
HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS
LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI
NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG
SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG
UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_COUNTRY_CODES.split())
_WITHOUT_POSTCODE = frozenset(
    {
        "AE",
        "AG",
        "AO",
        "BF",
        "BJ",
        "BS",
        "BZ",
        "CG",
        "CI",
        "CM",
        "FJ",
        "GH",
        "GM",
        "GY",
        "HK",
        "JM",
        "KE",
        "ML",
        "MO",
        "MU",
        "QA",
        "RW",
        "SC",
        "TZ",
        "UG",
        "ZW",
    }
)
_WITH_STATE = frozenset({"US", "CA", "AU"})
_INVALID = "Unable to create shipment, one or more parameters were invalid."


def read_shipment(body: Mapping[str, JSON], now: float) -> Shipment:
    """Raises Refusal naming every field at fault."""
    draft = body.get("shipment")
    if not isinstance(draft, Mapping) or not draft:
        raise required("shipment")
    if draft.get("service"):
        raise _refuse([FieldError("service", "buying in the same call is not offered here")])
    faults: list[FieldError] = []
    sender = _address(draft, "from_address", now, faults)
    recipient = _address(draft, "to_address", now, faults)
    parcel = _parcel(draft, now, faults)
    reference = draft.get("reference")
    if reference is not None and not isinstance(reference, str):
        faults.append(FieldError("reference", "must be a string"))
    options = draft.get("options") or {}
    if not isinstance(options, Mapping):
        faults.append(FieldError("options", "must be an object"))
    if faults or sender is None or recipient is None or parcel is None:
        raise _refuse(faults)
    shipment_id = new_id("shp")
    return Shipment(
        id=shipment_id,
        created_at=stamp(now),
        updated_at=stamp(now),
        reference=reference if isinstance(reference, str) else None,
        is_return=draft.get("is_return") is True,
        options=cast("dict[str, JsonValue]", options),
        customs_info=cast("JsonValue", draft.get("customs_info")),
        from_address=sender,
        to_address=recipient,
        parcel=parcel,
        rates=tuple(quote(shipment_id, sender, recipient, parcel, now)),
    )


def _refuse(faults: list[FieldError]) -> Refusal:
    country = any(fault.field.endswith(".country") for fault in faults)
    return invalid("ADDRESS.COUNTRY.INVALID" if country else "SHIPMENT.INVALID_PARAMS", _INVALID, faults)


def _address(draft: Mapping[str, JSON], role: str, now: float, faults: list[FieldError]) -> Address | None:
    given = draft.get(role)
    if not isinstance(given, Mapping) or not given:
        faults.append(FieldError(role, "cannot be blank"))
        return None
    texts = {name: value for name, value in given.items() if isinstance(value, str) and value.strip()}
    country = texts.get("country", "US")
    wrong = [name for name in _required_fields(country) if name not in texts]
    if "name" not in texts and "company" not in texts:
        wrong.append("name")
    faults.extend(FieldError(f"{role}.{name}", "cannot be blank") for name in wrong)
    if country not in COUNTRIES:
        faults.append(FieldError(f"{role}.country", "must be a 2-letter ISO 3166 code"))
        return None
    if wrong:
        return None
    known = {name: texts[name] for name in Address.model_fields if name in texts and name not in _OWN}
    fresh = {"id": new_id("adr"), "created_at": stamp(now), "updated_at": stamp(now), "country": country}
    return Address.model_validate({**known, **fresh})


_OWN = frozenset({"id", "object", "mode", "created_at", "updated_at", "residential", "verifications"})


def _required_fields(country: str) -> list[str]:
    names = ["street1", "city"]
    if country not in _WITHOUT_POSTCODE:
        names.append("zip")
    if country in _WITH_STATE:
        names.append("state")
    return names


def _parcel(draft: Mapping[str, JSON], now: float, faults: list[FieldError]) -> Parcel | None:
    given = draft.get("parcel")
    if not isinstance(given, Mapping) or not given:
        faults.append(FieldError("parcel", "cannot be blank"))
        return None
    sizes = {name: _measure(given, name, faults) for name in ("length", "width", "height", "weight")}
    weight = sizes["weight"]
    if weight is None:
        if given.get("weight") is None:
            faults.append(FieldError("parcel.weight", "cannot be blank"))
        return None
    return Parcel(
        id=new_id("prcl"),
        created_at=stamp(now),
        updated_at=stamp(now),
        length=sizes["length"],
        width=sizes["width"],
        height=sizes["height"],
        weight=weight,
    )


def _measure(parcel: Mapping[str, JSON], name: str, faults: list[FieldError]) -> float | None:
    value = parcel.get(name)
    if value is None:
        return None
    try:
        measure = (
            float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0.0
        )
    except ValueError:
        measure = 0.0
    if not 0 < measure < 10_000:
        faults.append(FieldError(f"parcel.{name}", "must be a positive number"))
        return None
    return measure
