"""One message to one person: sent at once where possible, tried for days where not."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.notifications import NotificationActivities
    from commerce.contracts import names
    from commerce.contracts.notifications import NotificationInput, NotificationResult
    from commerce.contracts.queues import TaskQueue

from workflows.options import declared, provider_step, uncut


@workflow.defn(name=names.NOTIFICATION_WORKFLOW)
class NotificationWorkflow:
    @workflow.run
    async def run(self, command: NotificationInput) -> NotificationResult:
        """The first try is a local activity, which costs five events less (docs/adr/0004)."""
        summary = f"Send {command.kind.value.replace('_', ' ')}"
        workflow.set_current_details(f"**Now:** {summary} for order {command.order_id}")
        try:
            return await uncut(
                workflow.execute_local_activity_method(
                    NotificationActivities.send_message,
                    command,
                    start_to_close_timeout=timedelta(seconds=5),
                    schedule_to_close_timeout=timedelta(seconds=5),
                    retry_policy=RetryPolicy(maximum_attempts=1),
                    summary=summary,
                )
            )
        except FailureError as failure:
            if is_cancelled_exception(failure) or declared(failure) is not None:
                raise
        return await provider_step(
            NotificationActivities.send_message, command, summary, queue=TaskQueue.NOTIFICATIONS
        )
