"""Events and actions of a history, counted as Temporal Cloud bills them."""

from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from commerce.cli.actions import Usage, usage_of

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def event(kind: str, second: int = 0) -> HistoryEvent:
    made = HistoryEvent(event_type=EventType.Value(f"EVENT_TYPE_{kind}"))
    made.event_time.FromDatetime(START + timedelta(seconds=second))
    return made


def marker(task: int) -> HistoryEvent:
    made = event("MARKER_RECORDED")
    made.marker_recorded_event_attributes.workflow_task_completed_event_id = task
    return made


def test_each_billed_event_is_one_action_and_tasks_are_none() -> None:
    billed = [
        "WORKFLOW_EXECUTION_STARTED",
        "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
        "WORKFLOW_EXECUTION_SIGNALED",
        "ACTIVITY_TASK_SCHEDULED",
        "TIMER_STARTED",
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
    ]
    free = ["WORKFLOW_TASK_SCHEDULED", "WORKFLOW_TASK_STARTED", "WORKFLOW_EXECUTION_UPDATE_COMPLETED"]
    assert usage_of(event(kind) for kind in billed + free) == Usage(events=9, actions=6)


def test_local_activities_of_one_workflow_task_are_one_action_together() -> None:
    assert usage_of([marker(4), marker(4), marker(4), marker(9)]) == Usage(events=4, actions=2)


def test_a_child_is_two_actions_of_its_parent_and_none_of_its_own() -> None:
    child = event("WORKFLOW_EXECUTION_STARTED")
    child.workflow_execution_started_event_attributes.parent_workflow_execution.workflow_id = "order/ord_1"
    assert usage_of([event("START_CHILD_WORKFLOW_EXECUTION_INITIATED")]).actions == 2
    assert usage_of([child]).actions == 0


def test_retries_of_an_activity_are_actions_though_they_leave_no_event() -> None:
    started = event("ACTIVITY_TASK_STARTED")
    started.activity_task_started_event_attributes.attempt = 4
    assert usage_of([event("ACTIVITY_TASK_SCHEDULED"), started]) == Usage(events=2, actions=4)


def test_retries_of_local_activities_are_actions() -> None:
    completed = event("WORKFLOW_TASK_COMPLETED")
    metering = completed.workflow_task_completed_event_attributes.metering_metadata
    metering.nonfirst_local_activity_execution_attempts = 3
    assert usage_of([completed]) == Usage(events=1, actions=3)


def test_what_came_after_the_moment_is_left_out() -> None:
    events = [event("TIMER_STARTED", second) for second in (0, 10, 11)]
    assert usage_of(events, START + timedelta(seconds=10)) == Usage(events=2, actions=2)
    assert usage_of(events, (START + timedelta(seconds=10)).astimezone()) == Usage(events=2, actions=2)
