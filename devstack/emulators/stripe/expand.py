"""`expand[]=latest_charge`: ids replaced by their objects."""

from collections.abc import Callable, Mapping, Sequence

from devstack.emulators.common.jsonvalue import JSON
from devstack.emulators.stripe.errors import ApiError
from devstack.emulators.stripe.render import Body

_TO: Mapping[str, Mapping[str, str | None]] = {
    "payment_intent": {
        "latest_charge": "charge",
        "payment_method": "payment_method",
        "customer": None,
        "review": None,
    },
    "charge": {"payment_intent": "payment_intent", "balance_transaction": None, "customer": None},
    "refund": {"charge": "charge", "payment_intent": "payment_intent", "balance_transaction": None},
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "payment_method": {"customer": None},
    "event": {},
}
MAX_DEPTH = 4


def check(paths: Sequence[str], kind: str, *, listed: bool) -> None:
    """Raises ApiError before the call does anything."""
    for path in paths:
        steps = path.split(".")
        if listed and steps[0] == "data":
            steps = steps[1:]
        if len(steps) > MAX_DEPTH or (listed and not path.startswith("data.")):
            raise _not_expandable(path)
        here: str | None = kind
        for step in steps:
            if here is None or step not in _TO[here]:
                raise _not_expandable(path)
            here = _TO[here][step]


def expand(body: Body, paths: Sequence[str], resolve: Callable[[str], Body | None]) -> Body:
    for path in paths:
        body = _expand(body, path.split("."), resolve)
    return body


def _expand(body: Body, steps: Sequence[str], resolve: Callable[[str], Body | None]) -> Body:
    step, rest = steps[0], steps[1:]
    value = body.get(step)
    replaced: JSON = value
    if step == "data" and isinstance(value, list):
        replaced = [_expand(dict(item), rest, resolve) for item in value if isinstance(item, Mapping)]
    elif isinstance(value, str):
        replaced = resolve(value) or value
    if rest and isinstance(replaced, Mapping):
        replaced = _expand(dict(replaced), rest, resolve)
    return {**body, step: replaced}


def _not_expandable(path: str) -> ApiError:
    return ApiError(f"This property cannot be expanded ({path}).", param="expand")
