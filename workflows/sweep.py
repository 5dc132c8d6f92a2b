"""The sweep, run by a schedule."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.maintenance import MaintenanceActivities
    from commerce.contracts import names
    from commerce.contracts.maintenance import SweepInput, SweepReport


@workflow.defn(name=names.SWEEP_WORKFLOW)
class SweepWorkflow:
    @workflow.run
    async def run(self, command: SweepInput) -> SweepReport:
        """A sweep that fails is not mended: the schedule's next one does its work."""
        return await workflow.execute_activity_method(
            MaintenanceActivities.sweep,
            command,
            start_to_close_timeout=timedelta(seconds=60),
            schedule_to_close_timeout=timedelta(seconds=120),
            retry_policy=RetryPolicy(maximum_attempts=2),
            summary="Start, ask and close what was left behind",
        )
