"""Counts what a history costs: events, and actions as Temporal Cloud bills them.

Source: Temporal's documentation, Temporal Cloud Actions. Queries, heartbeats and rejected updates leave no
event and are not seen. A child's start is two actions, both counted at the parent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

_ONE = frozenset(
    {
        EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        EventType.EVENT_TYPE_TIMER_STARTED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
        EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    }
)


@dataclass(frozen=True)
class Usage:
    events: int = 0
    actions: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.events + other.events, self.actions + other.actions)


def usage_of(events: Iterable[HistoryEvent], until: datetime | None = None) -> Usage:
    """Of one run; `until` leaves out what happened after that moment."""
    count = actions = 0
    marked: set[int] = set()
    for event in events:
        if until is not None and event.event_time.ToDatetime(tzinfo=until.tzinfo) > until:
            continue
        count += 1
        actions += _actions_of(event)
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            marked.add(event.marker_recorded_event_attributes.workflow_task_completed_event_id)
    return Usage(count, actions + len(marked))


def _actions_of(event: HistoryEvent) -> int:
    """Without markers: all of one workflow task are one action together."""
    if event.event_type in _ONE:
        return 1
    match event.event_type:
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            started = event.workflow_execution_started_event_attributes
            return 0 if started.HasField("parent_workflow_execution") else 1
        case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            return 2
        case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            return event.activity_task_started_event_attributes.attempt - 1
        case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            metering = event.workflow_task_completed_event_attributes.metering_metadata
            return metering.nonfirst_local_activity_execution_attempts
    return 0
