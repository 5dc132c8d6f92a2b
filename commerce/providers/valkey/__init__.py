"""What we use of Valkey."""

from commerce.providers.valkey.live import ValkeyLiveUpdates

__all__ = ["ValkeyLiveUpdates"]
