"""Orders that were begun under an earlier build end under this one."""

from pathlib import Path
from typing import Any, cast

import pytest

from commerce.cli.histories import Recorded, read
from commerce.cli.replaying import one_by_one, plain_converter, replay
from devstack.demo.stories import Stories

HISTORIES = Path(__file__).with_name("histories")
FILES = sorted(HISTORIES.rglob("*.json"))

STORIES = {
    "happy": {"CheckoutWorkflow", "PaymentWorkflow", "ShipmentWorkflow", "NotificationWorkflow"},
    "declined": {"CheckoutWorkflow"},
    "three_d_secure": {"CheckoutWorkflow"},
    "out_of_stock": {"CheckoutWorkflow"},
    "cancelled": {"CheckoutWorkflow", "PaymentWorkflow"},
    "refunded": {"CheckoutWorkflow", "PaymentWorkflow"},
    "failing_compensation": {"CheckoutWorkflow"},
}
"""Each path that an order can take, with the workflows that at least belong to it."""


def test_the_command_plays_every_path() -> None:
    nobody = cast("Any", None)
    assert set(Stories(nobody, nobody, nobody, nobody).all()) == set(STORIES)


@pytest.mark.parametrize("story", sorted(STORIES))
def test_every_path_is_recorded_with_its_workflows(story: str) -> None:
    recorded = [item for path in FILES if path.stem == story for item in read(path)]
    assert recorded, f"no {story}.json below {HISTORIES}: record it with `commerce record`"
    assert {_kind(item) for item in recorded} >= STORIES[story]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_recorded_history_replays(path: Path) -> None:
    histories = [item.history for item in read(path)]
    outcome = await replay(one_by_one(histories), plain_converter())
    assert outcome.failures == []
    assert outcome.replayed == len(histories)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recorded_history_can_be_read_without_a_key(path: Path) -> None:
    assert "binary/encrypted" not in {_encoding(payload) for item in read(path) for payload in _inputs(item)}


def _kind(item: Recorded) -> str:
    return item.history.events[0].workflow_execution_started_event_attributes.workflow_type.name


def _inputs(item: Recorded) -> list[dict[str, bytes]]:
    started = item.history.events[0].workflow_execution_started_event_attributes
    return [dict(payload.metadata) for payload in started.input.payloads]


def _encoding(metadata: dict[str, bytes]) -> str:
    return metadata.get("encoding", b"").decode()
