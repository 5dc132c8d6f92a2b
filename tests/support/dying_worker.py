"""A worker process that kills itself at planned moments, each once, and is started again by its parent.

The parent imports everything once and forks: a new worker is there at once. It prints each end. Run it
with the settings of a shop in its environment and DYING_WORKER_PLAN naming a JSON file
`{order id: [activity, "before" | "after"]}`; a moment that has struck leaves a mark beside it.
"""

import asyncio
import json
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

import worker
from commerce.contracts.queues import TaskQueue
from commerce.runtime.settings import WorkerSettings
from commerce.runtime.temporal import connect


class Death(Interceptor):
    def __init__(self, plan: Path) -> None:
        self._plan = plan
        self._moments: dict[str, list[str]] = json.loads(plan.read_text())

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Mortal(next, self)

    def meet(self, order_id: str | None, when: str) -> None:
        moment = [activity.info().activity_type, when]
        if order_id is None or self._moments.get(order_id) != moment:
            return
        mark = self._plan.with_name(f"{order_id}.struck")
        try:
            mark.touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)


class _Mortal(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, death: Death) -> None:
        super().__init__(next)
        self._death = death

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        order_id = getattr(input.args[0], "order_id", None)
        self._death.meet(order_id, "before")
        result = await super().execute_activity(input)
        self._death.meet(order_id, "after")
        return result


async def main() -> None:
    settings = WorkerSettings(_env_file=None)
    client = await connect(settings)
    death = Death(Path(os.environ["DYING_WORKER_PLAN"]))
    async with worker.open_adapters(settings, client) as adapters, AsyncExitStack() as running:
        for one in worker.build_workers(
            client, adapters, list(TaskQueue), drain_seconds=1, interceptors=[death]
        ):
            await running.enter_async_context(one)
        await running.enter_async_context(worker.maintain(settings, client, adapters))
        await asyncio.Event().wait()


def keep_alive() -> None:
    """Forks a worker, prints the signal that ended it, and forks the next one."""
    while True:
        child = os.fork()
        if child == 0:
            asyncio.run(main())
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.WTERMSIG(status) if os.WIFSIGNALED(status) else 'exit'}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    keep_alive()
