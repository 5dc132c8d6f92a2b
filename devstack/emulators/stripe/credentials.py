"""Who may call, and in which version of the API."""

import base64
import binascii
import re
import secrets

from devstack.emulators.stripe.errors import ApiError

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z_]+)?")


def check_key(authorization: str | None, api_key: str) -> None:
    """Bearer, or Basic with the key as user name. Raises ApiError 401."""
    given = _given_key(authorization or "")
    if not given:
        message = "You did not provide an API key. Set it in the Authorization header, using Bearer auth."
        raise ApiError(message, status=401)
    if not secrets.compare_digest(given.encode(), api_key.encode()):
        raise ApiError(f"Invalid API Key provided: {_masked(given)}", status=401)


def check_version(version: str | None) -> None:
    if version is not None and not _VERSION.fullmatch(version):
        raise ApiError(f"Invalid Stripe API version: {version}")


def _given_key(authorization: str) -> str:
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def _masked(key: str) -> str:
    return key[:8] + "*" * max(0, len(key) - 12) + key[-4:] if len(key) > 12 else "*" * len(key)
