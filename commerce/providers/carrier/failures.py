"""EasyPost's errors, sorted once into the three kinds that the rest of the shop knows."""

from collections.abc import Sequence

import requests
from easypost.errors.api.api_error import ApiError
from easypost.errors.general.easypost_error import EasyPostError
from urllib3.exceptions import NewConnectionError

from commerce.domain.errors import (
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
)

POSTAGE_EXISTS = "SHIPMENT.POSTAGE.EXISTS"

_CARRIER_SILENT = frozenset(
    {"SHIPMENT.POSTAGE.NO_RESPONSE", "SHIPMENT.POSTAGE.TIMED_OUT", "SHIPMENT.PURCHASE.IN_PROGRESS"}
)
"""Refusals by status, though the carrier may have sold the label or be about to."""
_NO_FUNDS_WAIT = 300.0
"""Seconds: somebody has to top the account up, after which every waiting parcel goes on by itself."""


def sort(error: EasyPostError, *, effect: bool, retry_after: float | None) -> ProviderError:
    """`effect`: the call may have changed something. Texts of EasyPost may quote an address: codes only."""
    status = error.http_status if isinstance(error, ApiError) else None
    if status is None:
        return _unanswered(error, effect=effect)
    code = str(error.code) if isinstance(error, ApiError) and error.code else f"http_{status}"
    message = f"EasyPost: {code} ({status}){_fields(error)}"
    if status == 429:
        return ProviderUnavailable(message, code="rate_limit", retry_after=retry_after)
    if status == 402:
        return ProviderUnavailable(message, code=code, retry_after=_NO_FUNDS_WAIT)
    if status == 408 or status >= 500 or code in _CARRIER_SILENT:
        kind = ProviderOutcomeUnknown if effect else ProviderUnavailable
        return kind(message, code=code, retry_after=retry_after)
    return ProviderRefused(message, code=code)


def is_missing(error: ProviderError) -> bool:
    return isinstance(error, ProviderRefused) and error.code == "NOT_FOUND"


def _unanswered(error: EasyPostError, *, effect: bool) -> ProviderError:
    cause = error.__context__
    if effect and not _never_sent(cause):
        return ProviderOutcomeUnknown(f"EasyPost: no answer ({type(error).__name__})", code="no_answer")
    return ProviderUnavailable(f"EasyPost: not reached ({type(error).__name__})", code="not_reached")


def _never_sent(cause: BaseException | None) -> bool:
    """The SDK hides what happened on the wire behind its own error; Python keeps it as the context."""
    if isinstance(cause, requests.ConnectTimeout):
        return True
    if not isinstance(cause, requests.ConnectionError) or not cause.args:
        return False
    return isinstance(getattr(cause.args[0], "reason", None), NewConnectionError)


def _fields(error: EasyPostError) -> str:
    faults: Sequence[object] = (error.errors or ()) if isinstance(error, ApiError) else ()
    names = [str(one["field"]) for one in faults if isinstance(one, dict) and "field" in one]
    return f": {', '.join(names)}" if names else ""
