"""Versions as entity tags: `ETag` out, `If-Match` in."""

import re

from starlette.requests import Request
from starlette.responses import Response

from api.errors import Fault, InvalidRequest, PreconditionFailed, PreconditionRequired

_STRONG = re.compile(r'"([0-9]{1,18})"')


def set_etag(response: Response, version: int) -> None:
    response.headers["ETag"] = f'"{version}"'


def expected_version(request: Request) -> int:
    """Raises PreconditionRequired without `If-Match`; `*` is no version and does not count."""
    version = optional_version(request)
    if version is None:
        raise PreconditionRequired
    return version


def optional_version(request: Request) -> int | None:
    """Raises InvalidRequest for a tag that no answer of ours ever had."""
    header = request.headers.get("if-match", "").strip()
    if header in {"", "*"}:
        return None
    match = _STRONG.fullmatch(header)
    if match is None:
        raise InvalidRequest(faults=[Fault('one ETag as it was answered, like "3"', "/header/if-match")])
    return int(match.group(1))


def check_version(request: Request, current: int) -> None:
    """Raises PreconditionFailed when the caller read another version than the present one."""
    expected = optional_version(request)
    if expected is not None and expected != current:
        raise PreconditionFailed("Read it again, then repeat the change.")
