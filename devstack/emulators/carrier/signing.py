"""EasyPost's webhook signature: hex HMAC-SHA256 of the raw body, under the NFKD form of the secret."""

import hashlib
import hmac
import unicodedata
from collections.abc import Mapping

from devstack.emulators.common.webhooks import Signer

HEADER = "X-Hmac-Signature"


def signer(secret: str) -> Signer:
    key = unicodedata.normalize("NFKD", secret).encode()

    def sign(body: bytes, forged: bool) -> Mapping[str, str]:
        digest = hmac.new(b"not the secret" if forged else key, body, hashlib.sha256).hexdigest()
        return {HEADER: f"hmac-sha256-hex={digest}"}

    return sign
