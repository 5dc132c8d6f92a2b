"""Cancels through the gateway's REST, so that the rules, the audit trail and the workflow are the same."""

from uuid import uuid4

import httpx

from api.schemas.base import ProblemDocument
from api.schemas.orders import OrderView
from commerce.cli.errors import CommandError, Exit
from commerce.cli.out import answers, print_json
from commerce.cli.settings import load
from commerce.cli.stack import sign_in

_TRIES = 3
_TIMEOUT = 30.0


def cancel_order(order_id: str, reason: str, token: str | None, *, as_json: bool) -> None:
    """Raises CommandError with the gateway's own words when it refuses."""
    settings = load()
    response = _post(
        f"{settings.public_url.rstrip('/')}/v1/orders/{order_id}/cancel",
        reason,
        token or sign_in("support"),
    )
    if response.status_code >= 400:
        raise CommandError(_refusal(response), Exit.FOUND)
    if as_json:
        print_json(response.json())
        return
    order = OrderView.model_validate_json(response.content)
    money = "goods and money are back" if response.status_code == 200 else "the money is on its way back"
    answers().print(f"Order {order.number} is {order.status}: {money}.")


def _post(url: str, reason: str, token: str) -> httpx.Response:
    """One key for all tries: a repeat after a lost answer gets the first one's."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"cli-{uuid4()}"}
    for attempt in range(1, _TRIES + 1):
        try:
            return httpx.post(url, json={"reason": reason}, headers=headers, timeout=_TIMEOUT)
        except httpx.TransportError as failure:
            if attempt == _TRIES:
                raise CommandError(f"the gateway at {url}: {failure}", Exit.UNREACHABLE) from failure
    raise AssertionError("unreachable")


def _refusal(response: httpx.Response) -> str:
    try:
        problem = ProblemDocument.model_validate_json(response.content)
    except ValueError:
        return f"the gateway answered {response.status_code}"
    slug = problem.type.rsplit("/", 1)[-1]
    return f"{problem.title} ({problem.status} {slug}){f': {problem.detail}' if problem.detail else ''}"
