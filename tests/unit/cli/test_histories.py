"""Histories as files: open, stable, without a trace of the machine."""

import json
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from commerce.cli.errors import CommandError
from commerce.cli.histories import open_history, read, read_all, write
from commerce.runtime.codec import EncryptingCodec

CODEC = EncryptingCodec({"k1": b"7" * 32})
SECRET = Payload(metadata={"encoding": b"json/plain"}, data=b'{"order_id":"ord_1"}')


async def sealed_history() -> WorkflowHistory:
    """With sealed payloads where Temporal keeps them: input, a map of a marker, metadata, a failure."""
    [sealed] = await CODEC.encode([SECRET])
    started = HistoryEvent(event_id=1, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
    attributes = started.workflow_execution_started_event_attributes
    attributes.workflow_type.name = "CheckoutWorkflow"
    attributes.identity = "4711@build-host"
    attributes.input.payloads.append(sealed)
    started.user_metadata.summary.CopyFrom(sealed)
    marker = HistoryEvent(event_id=2, event_type=EventType.EVENT_TYPE_MARKER_RECORDED)
    marker.marker_recorded_event_attributes.details["result"].payloads.append(sealed)
    failed = HistoryEvent(event_id=3, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED)
    failed.workflow_execution_failed_event_attributes.failure.encoded_attributes.CopyFrom(sealed)
    return WorkflowHistory("order/ord_1", [started, marker, failed])


async def test_every_sealed_payload_is_opened() -> None:
    opened = await open_history(await sealed_history(), CODEC)
    started, marker, failed = opened.events
    assert started.workflow_execution_started_event_attributes.input.payloads[0] == SECRET
    assert started.user_metadata.summary == SECRET
    assert marker.marker_recorded_event_attributes.details["result"].payloads[0] == SECRET
    assert failed.workflow_execution_failed_event_attributes.failure.encoded_attributes == SECRET


async def test_the_original_is_left_as_it_was() -> None:
    history = await sealed_history()
    before = history.to_json()
    await open_history(history, CODEC)
    assert history.to_json() == before


async def test_no_host_name_is_written(tmp_path: Path) -> None:
    write(tmp_path / "happy.json", [await open_history(await sealed_history(), CODEC)])
    text = (tmp_path / "happy.json").read_text()
    assert "build-host" not in text
    assert "binary/encrypted" not in text


async def test_what_is_written_is_read_again_and_written_the_same(tmp_path: Path) -> None:
    path = tmp_path / "0.1.0" / "happy.json"
    write(path, [await open_history(await sealed_history(), CODEC)])
    [recorded] = read(path)
    assert (recorded.story, recorded.workflow_id) == ("happy", "order/ord_1")
    write(tmp_path / "again.json", [recorded.history])
    assert (tmp_path / "again.json").read_text() == path.read_text()
    assert json.loads(path.read_text())["workflows"][0]["workflow_type"] == "CheckoutWorkflow"


async def test_releases_are_read_together(tmp_path: Path) -> None:
    history = await open_history(await sealed_history(), CODEC)
    for release in ("0.2.0", "0.1.0"):
        write(tmp_path / release / "happy.json", [history, history])
    assert len(read_all(tmp_path)) == 4


def test_an_empty_folder_is_no_pass(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no recorded histories"):
        read_all(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"workflows": [{"workflow_id": "order/1"}]}'])
def test_a_file_without_histories_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "broken.json").write_text(text)
    with pytest.raises(CommandError, match=r"broken\.json holds no histories"):
        read(tmp_path / "broken.json")
