"""Postal addresses."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from api.schemas.base import Input, Line, Word
from commerce.domain import orders

_COUNTRIES = frozenset(
    re.findall(
        "..",
        "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICK"
        "CLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGS"
        "GTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULV"
        "LYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPM"
        "PNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTR"
        "TTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW",
    )
)
"""ISO 3166-1 alpha-2, officially assigned."""


def _country(code: str) -> str:
    if code not in _COUNTRIES:
        raise PydanticCustomError("unknown-country", "an ISO 3166-1 alpha-2 code in capitals")
    return code


class AddressInput(Input):
    name: Word = Field(max_length=120, examples=["Ada Lovelace"])
    company: Line | None = Field(None, max_length=120)
    line1: Word = Field(max_length=200, examples=["12 St James's Square"])
    line2: Line | None = Field(None, max_length=200)
    city: Word = Field(max_length=120, examples=["London"])
    region: Line | None = Field(None, max_length=120)
    postal_code: Word = Field(max_length=20, examples=["SW1Y 4JH"])
    country: Annotated[str, AfterValidator(_country)] = Field(examples=["GB"])
    phone: Line | None = Field(None, max_length=40)

    def address(self) -> orders.Address:
        return orders.Address(**self.model_dump())
