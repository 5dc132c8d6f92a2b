"""The synchronous SDK on a small pool of threads, one client each, with errors sorted at the edge."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from easypost.easypost_client import EasyPostClient
from easypost.errors.general.easypost_error import EasyPostError

from commerce.providers.carrier import failures
from commerce.providers.carrier.account import EasyPostAccount

T = TypeVar("T")


class Calls:
    """A call that waits for a free thread waits without end: bound it from outside."""

    def __init__(self, account: EasyPostAccount) -> None:
        self._account = account
        self._pool = ThreadPoolExecutor(account.connections, thread_name_prefix="easypost")
        self._own = threading.local()
        self._clients: list[EasyPostClient] = []

    async def run(self, call: Callable[[EasyPostClient], T], *, effect: bool) -> T:
        """Raises ProviderError; `effect`: the call may change something at EasyPost."""
        loop = asyncio.get_running_loop()
        context = contextvars.copy_context()
        return await loop.run_in_executor(self._pool, context.run, self._sorted, call, effect)

    async def close(self) -> None:
        """Waits for calls under way: their outcome matters."""
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
        for client in self._clients:
            client._requests_session.close()

    def _sorted(self, call: Callable[[EasyPostClient], T], effect: bool) -> T:
        client = self._client()
        self._own.retry_after = None
        try:
            return call(client)
        except EasyPostError as error:
            raise failures.sort(error, effect=effect, retry_after=self._own.retry_after) from error

    def _client(self) -> EasyPostClient:
        """This thread's own: a requests session is not made for several."""
        client: EasyPostClient | None = getattr(self._own, "client", None)
        if client is None:
            client = self._own.client = self._account.client()
            client.subscribe_to_response_hook(self._remember_wait)  # type: ignore[no-untyped-call]  # the SDK's
            self._clients.append(client)
        return client

    def _remember_wait(self, headers: Mapping[str, str], **_: object) -> None:
        """The SDK's errors carry no headers; its hook runs before they are raised."""
        try:
            self._own.retry_after = float(headers["retry-after"])
        except (KeyError, ValueError):
            self._own.retry_after = None
