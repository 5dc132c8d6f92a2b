"""How we reach our account at EasyPost, and what every parcel of ours has in common."""

from dataclasses import dataclass, field

from easypost.easypost_client import EasyPostClient
from requests.adapters import HTTPAdapter

from commerce.domain.orders import Address


@dataclass(frozen=True)
class EasyPostAccount:
    """`timeout` is in seconds, for one HTTP call; buying a label makes up to four, one after the other."""

    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    sender: Address
    api_base: str = "https://api.easypost.com/v2"
    timeout: int = 6
    ounces_per_piece: float = 4.0
    connections: int = 8

    def client(self) -> EasyPostClient:
        """Without retries of its own, where the SDK has three: Temporal is the one retry layer."""
        client = EasyPostClient(self.api_key, api_base=self.api_base, timeout=self.timeout)
        client._requests_session.mount(self.api_base, HTTPAdapter(max_retries=0))
        return client
