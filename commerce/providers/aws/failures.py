"""Errors of boto3, sorted once into the three kinds that the rest of the shop knows."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)

from commerce.domain.errors import (
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
)

CONDITION_FAILED = "ConditionalCheckFailedException"
NOT_FOUND = frozenset({"ResourceNotFoundException", "NotFound", "NotFoundException"})

_NOT_NOW = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "SendingPausedException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


def sort(error: BotoCoreError | ClientError, *, effect: bool) -> ProviderError:
    """`effect`: the call may have changed something."""
    if isinstance(error, ClientError):
        return _sort_answer(error, effect=effect)
    message = f"AWS: {type(error).__name__}"
    if isinstance(error, EndpointConnectionError | ConnectTimeoutError):
        return ProviderUnavailable(message, code="not_reached")
    if isinstance(error, HTTPClientError):
        kind = ProviderOutcomeUnknown if effect else ProviderUnavailable
        return kind(message, code="no_answer")
    return ProviderRefused(f"{message}: {error}", code=type(error).__name__)


def _sort_answer(error: ClientError, *, effect: bool) -> ProviderError:
    detail, meta = error.response["Error"], error.response["ResponseMetadata"]
    code, status = detail.get("Code", ""), meta.get("HTTPStatusCode", 0)
    message = f"AWS {error.operation_name}: {code} ({meta.get('RequestId', 'no request id')})"
    if code in _NOT_NOW or status == 429:
        return ProviderUnavailable(message, code=code, retry_after=_retry_after(meta.get("HTTPHeaders", {})))
    if status >= 500:
        kind = ProviderOutcomeUnknown if effect else ProviderUnavailable
        return kind(message, code=code)
    return ProviderRefused(message, code=code)


def _retry_after(headers: dict[str, str]) -> float | None:
    try:
        return float(headers["retry-after"])
    except (KeyError, ValueError):
        return None
