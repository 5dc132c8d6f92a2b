"""A workflow that talks; a module of its own, as the sandbox imports it again."""

from datetime import timedelta

from temporalio import activity, workflow


@activity.defn(name="logging_step")
async def step() -> None:
    activity.logger.info("step ran")


@workflow.defn(name="LoggingWorkflow")
class LoggingWorkflow:
    @workflow.run
    async def run(self) -> None:
        workflow.logger.info("workflow began", extra={"order_id": "ord_1", "email": "ada@example.org"})
        for _ in range(2):
            await workflow.execute_activity(step, start_to_close_timeout=timedelta(seconds=10))
        workflow.logger.info("workflow ended")
