"""EasyPost as the carrier: labels and tracking."""

from commerce.providers.carrier.account import EasyPostAccount
from commerce.providers.carrier.easypost import EasyPostCarrier

__all__ = ["EasyPostAccount", "EasyPostCarrier"]
