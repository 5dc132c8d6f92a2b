import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError

from commerce.domain.errors import (
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
)
from commerce.providers.aws.failures import sort


def _answer(code: str, status: int, **headers: str) -> ClientError:
    meta = {"HTTPStatusCode": status, "RequestId": "r1", "HTTPHeaders": headers}
    return ClientError({"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": meta}, "PutItem")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("error", "when_writing", "when_reading"),
    [
        (_answer("ThrottlingException", 400), ProviderUnavailable, ProviderUnavailable),
        (_answer("Whatever", 429), ProviderUnavailable, ProviderUnavailable),
        (_answer("InternalServerError", 500), ProviderOutcomeUnknown, ProviderUnavailable),
        (_answer("AccessDeniedException", 403), ProviderRefused, ProviderRefused),
        (_answer("ValidationException", 400), ProviderRefused, ProviderRefused),
        (ReadTimeoutError(endpoint_url="http://x"), ProviderOutcomeUnknown, ProviderUnavailable),
        (NoCredentialsError(), ProviderRefused, ProviderRefused),
    ],
)
def test_errors_are_sorted_by_what_may_have_happened(
    error: ClientError, when_writing: type[ProviderError], when_reading: type[ProviderError]
) -> None:
    assert type(sort(error, effect=True)) is when_writing
    assert type(sort(error, effect=False)) is when_reading


def test_the_wish_to_wait_is_passed_on() -> None:
    error = sort(_answer("SlowDown", 503, **{"retry-after": "7"}), effect=True)

    assert (error.code, error.retry_after) == ("SlowDown", 7.0)
