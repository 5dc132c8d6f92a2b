"""A workflow that was changed the wrong way: what its running orders did first, it now does second."""

from datetime import timedelta

from temporalio import workflow

_NAME = "PlantedWorkflow"
_STEP = timedelta(seconds=10)


async def _step(name: str, order_id: str) -> str:
    done: str = await workflow.execute_activity(name, order_id, start_to_close_timeout=_STEP)
    return done


@workflow.defn(name=_NAME)
class Original:
    """The definition that the recorded history was made by."""

    @workflow.run
    async def run(self, order_id: str) -> str:
        return await _step("reserve", order_id) + await _step("authorise", order_id)


@workflow.defn(name=_NAME)
class Swapped:
    """The same steps the other way round, without `patched`."""

    @workflow.run
    async def run(self, order_id: str) -> str:
        return await _step("authorise", order_id) + await _step("reserve", order_id)
