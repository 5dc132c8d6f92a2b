import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from temporalio import activity
from temporalio.testing import ActivityEnvironment

from commerce.runtime import logging as ours
from commerce.runtime.redaction import HIDDEN


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    ours.install(stream, "INFO")
    structlog.contextvars.clear_contextvars()
    yield stream
    root.handlers, level = before[0], before[1]
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_time_level_logger_and_context(stream: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="req_1", order_id="ord_1"):
        structlog.get_logger("api").info("placed", amount=3999)

    (line,) = lines(stream)
    stamp = line.pop("timestamp")
    assert stamp.endswith("Z")
    assert line == {
        "event": "placed",
        "amount": 3999,
        "request_id": "req_1",
        "order_id": "ord_1",
        "level": "info",
        "logger": "api",
    }


def test_the_standard_library_takes_the_same_way(stream: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="req_1"):
        for name in ("uvicorn.error", "temporalio.worker", "sqlalchemy.pool"):
            logging.getLogger(name).warning(
                "mail to %s", "ada@example.org", extra={"email": "ada@example.org"}
            )

    assert [(line["logger"], line["event"], line["email"]) for line in lines(stream)] == [
        (name, f"mail to {HIDDEN}", HIDDEN)
        for name in ("uvicorn.error", "temporalio.worker", "sqlalchemy.pool")
    ]
    assert {line["request_id"] for line in lines(stream)} == {"req_1"}


def test_uvicorn_s_own_handlers_do_not_write_a_second_line(stream: io.StringIO) -> None:
    uvicorn = logging.getLogger("uvicorn.access")
    uvicorn.addHandler(logging.StreamHandler(stream))
    ours.install(stream, "INFO")

    uvicorn.warning("once")

    assert len(lines(stream)) == 1


def test_tracebacks_are_redacted(stream: io.StringIO) -> None:
    try:
        raise ValueError("card 4242424242424242 of ada@example.org")
    except ValueError:
        structlog.get_logger().exception("request failed")
        logging.getLogger("uvicorn.error").exception("failed")

    text = stream.getvalue()
    assert text.count("Traceback") == 2
    assert "4242" not in text
    assert "ada@" not in text


def test_context_is_redacted(stream: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(cart_token="guess-me"):
        structlog.get_logger().bind(password="hush").warning(
            "x", headers={"Authorization": "Bearer abcdefgh"}
        )

    text = stream.getvalue()
    assert all(secret not in text for secret in ("guess-me", "hush", "abcdefgh"))


def test_lines_below_the_level_are_not_written(stream: io.StringIO) -> None:
    structlog.get_logger().debug("quiet")
    logging.getLogger("stripe").info("chatty")
    logging.getLogger("httpx").info("chatty")

    assert stream.getvalue() == ""


def test_warnings_of_libraries_become_lines(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old call", stacklevel=1)

    assert "old call" in lines(stream)[0]["event"]


def test_a_terminal_gets_colours_and_the_same_redaction() -> None:
    stream = io.StringIO()
    ours.install(stream, "INFO", pretty=True)
    structlog.get_logger().info("placed", email="ada@example.org", order_id="ord_1")

    structlog.reset_defaults()
    logging.captureWarnings(False)
    logging.getLogger().handlers = []
    assert "ada@" not in stream.getvalue()
    assert "ord_1" in stream.getvalue()


async def test_an_activity_s_lines_carry_its_ids_at_the_top(stream: io.StringIO) -> None:
    @activity.defn
    async def step() -> None:
        activity.logger.info("step done", extra={"order_id": "ord_1"})

    await ActivityEnvironment().run(step)

    (line,) = lines(stream)
    assert line["event"] == "step done"
    assert (line["order_id"], line["workflow_id"], line["activity_type"]) == ("ord_1", "test", "unknown")
    assert "temporal_activity" not in line
