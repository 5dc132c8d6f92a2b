"""Histories as files: opened by the codec when they are recorded, so that a replay needs no key.

One file holds the workflows of one story (an order with its payment, parcels and messages). What a replay
does not look at and what differs from machine to machine (identities, request ids) is left out, keys are
sorted: a file changes only where the history does.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import History
from temporalio.client import WorkflowHistory
from temporalio.converter import PayloadCodec

from commerce.cli.errors import CommandError, Exit

_IMMATERIAL = frozenset({"identity", "request_id", "worker_version", "binary_checksum"})


@dataclass(frozen=True)
class Recorded:
    """A history as a file of the repository has it; `story` is the file's name without its ending."""

    story: str
    workflow_id: str
    history: WorkflowHistory


async def open_history(history: WorkflowHistory, codec: PayloadCodec | None) -> WorkflowHistory:
    """A copy with every payload opened and nothing of the machine that it ran on."""
    copy = History()
    copy.events.extend(history.events)
    for message in _messages(copy):
        if isinstance(message, Payload) and codec is not None:
            [plain] = await codec.decode([message])
            message.CopyFrom(plain)
        else:
            _drop_immaterial(message)
    return WorkflowHistory(history.workflow_id, list(copy.events))


def write(path: Path, histories: Sequence[WorkflowHistory]) -> None:
    """Replaces the file."""
    workflows = [_as_json(history) for history in histories]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"workflows": workflows}, indent=1, sort_keys=True) + "\n")


def read(path: Path) -> list[Recorded]:
    """Raises CommandError for a file that holds no histories."""
    try:
        workflows = json.loads(path.read_text())["workflows"]
        return [
            Recorded(
                path.stem,
                item["workflow_id"],
                WorkflowHistory.from_json(item["workflow_id"], {"events": item["events"]}),
            )
            for item in workflows
        ]
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise CommandError(f"{path} holds no histories: {fault}", Exit.CONFIGURATION) from fault


def read_all(folder: Path) -> list[Recorded]:
    """Of all releases below the folder. Raises CommandError where there are none."""
    found = [recorded for path in sorted(folder.rglob("*.json")) for recorded in read(path)]
    if not found:
        raise CommandError(f"no recorded histories below {folder}", Exit.CONFIGURATION)
    return found


def _as_json(history: WorkflowHistory) -> dict[str, Any]:
    events = MessageToDict(History(events=history.events))["events"]
    started = history.events[0].workflow_execution_started_event_attributes
    return {
        "workflow_id": history.workflow_id,
        "workflow_type": started.workflow_type.name,
        "events": events,
    }


def _messages(root: Message) -> Iterator[Message]:
    """The message and all below it; a payload's own bytes are not looked into."""
    yield root
    if isinstance(root, Payload):
        return
    for field, value in root.ListFields():
        for below in _submessages(field, value):
            yield from _messages(below)


def _submessages(field: FieldDescriptor, value: Any) -> Iterator[Message]:
    entry = field.message_type
    if entry is None:
        return
    if entry.GetOptions().map_entry:
        if entry.fields_by_name["value"].type == FieldDescriptor.TYPE_MESSAGE:
            yield from value.values()
    elif field.is_repeated:
        yield from value
    else:
        yield value


def _drop_immaterial(message: Message) -> None:
    for name in _IMMATERIAL.intersection(message.DESCRIPTOR.fields_by_name):
        message.ClearField(name)
