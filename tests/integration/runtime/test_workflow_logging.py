import io
import json
import logging
from collections.abc import Iterator
from uuid import uuid4

import pytest
import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from commerce.runtime import logging as ours
from commerce.runtime.codec import data_converter
from tests.integration.runtime.logging_workflow import LoggingWorkflow, step


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    ours.install(stream, "INFO")
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


async def test_a_workflow_that_is_replayed_at_every_task_logs_each_line_once(
    temporal_server: str, stream: io.StringIO
) -> None:
    client = await Client.connect(temporal_server, data_converter=data_converter({"k1": bytes(32)}))
    queue, workflow_id = f"logging-{uuid4().hex}", f"logging/{uuid4().hex}"

    async with Worker(
        client, task_queue=queue, workflows=[LoggingWorkflow], activities=[step], max_cached_workflows=0
    ):
        await client.execute_workflow(LoggingWorkflow.run, id=workflow_id, task_queue=queue)

    ours_only = [line for line in map(json.loads, stream.getvalue().splitlines()) if "workflow_id" in line]
    assert [line["event"] for line in ours_only] == [
        "workflow began",
        "step ran",
        "step ran",
        "workflow ended",
    ]
    assert {line["workflow_id"] for line in ours_only} == {workflow_id}
    assert (ours_only[0]["order_id"], ours_only[0]["email"]) == ("ord_1", "[redacted]")
