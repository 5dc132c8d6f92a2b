"""Idempotency keys: the first answer again, for a day and longer."""

import hashlib
import json

from devstack.emulators.stripe.errors import ApiError, ErrorType
from devstack.emulators.stripe.model import RememberedAnswer
from devstack.emulators.stripe.params import Params
from devstack.emulators.stripe.work import World

MAX_KEY = 255


class Idempotency:
    """Answers are kept with the effects they report; calls under way are known to this process only."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._running: set[str] = set()

    def begin(self, key: str, endpoint: str, params: Params) -> RememberedAnswer | None:
        """The answer to repeat, or None: then the caller runs the call and must `end` the key.

        Raises ApiError: 400 for other parameters or another endpoint, 409 while the first still runs.
        """
        if key in self._running:
            message = (
                "There is currently another in-progress request using this idempotency key (that probably "
                f"means you submitted twice, and the other request is still going through): {key}."
            )
            raise ApiError(message, "idempotency_key_in_use", status=409)
        known = self._world.store.answer(key)
        if known is None or self._expired(known):
            self._running.add(key)
            return None
        if known.endpoint != endpoint:
            raise _reused(f"for the same endpoint they were first used for ('{known.endpoint}')", key)
        if known.fingerprint != fingerprint(params):
            raise _reused("with the same parameters they were first used with", key)
        return known

    def end(self, key: str) -> None:
        self._running.discard(key)

    def _expired(self, known: RememberedAnswer) -> bool:
        return self._world.clock.now() - known.created > self._world.settings.idempotency_ttl_seconds


def fingerprint(params: Params) -> str:
    return hashlib.sha256(json.dumps(params.values, sort_keys=True).encode()).hexdigest()


def check_length(key: str) -> None:
    if len(key) > MAX_KEY:
        raise ApiError(f"Idempotency keys can have up to {MAX_KEY} characters.", param="idempotency_key")


def _reused(rule: str, key: str) -> ApiError:
    message = (
        f"Keys for idempotent requests can only be used {rule}. Try using a key other than '{key}' if you "
        "meant to execute a different request."
    )
    return ApiError(message, type=ErrorType.IDEMPOTENCY)
