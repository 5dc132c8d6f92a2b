"""Logs of every process: one JSON object a line on stdout, with context, without people's data.

Ours by structlog and everybody else's (uvicorn, temporalio, sqlalchemy) by the standard library take the
same way out, so both are redacted. What a workflow logs through `workflow.logger` is silent in a replay.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from temporalio import activity, workflow

from commerce.runtime.redaction import redact_field
from commerce.runtime.settings import CommonSettings, Mode

_QUIET = ("botocore", "boto3", "httpcore", "httpx", "sqlalchemy.engine", "stripe", "urllib3", "asyncio")
"""Told to speak from WARNING on: at INFO they name addresses, parameters and rows."""
_WITH_OWN_HANDLERS = ("uvicorn", "uvicorn.error", "uvicorn.access")
_TEMPORAL = ("temporal_workflow", "temporal_activity")


def configure_logging(settings: CommonSettings) -> None:
    """Once, at the start of a process. Pretty on a terminal in development, else JSON."""
    pretty = settings.mode is Mode.DEVELOPMENT and sys.stdout.isatty()
    install(sys.stdout, settings.log_level.upper(), pretty=pretty)


def install(stream: TextIO, level: str, *, pretty: bool = False) -> None:
    """Raises ValueError for an unknown level."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_shared()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact_event,
                structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _WITH_OWN_HANDLERS:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def redact_event(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """The last thing before the line is written, so that tracebacks are covered too."""
    return {name: redact_field(name, value) for name, value in event.items()}


def lift_temporal(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Workflow and activity ids stand at the top, where a search for an order finds them."""
    for group in _TEMPORAL:
        about = event.pop(group, None)
        if isinstance(about, Mapping):
            _fill(event, about)
    return event


def _fill(event: MutableMapping[str, object], about: Mapping[str, object]) -> None:
    for name in ("workflow_id", "workflow_type", "run_id", "activity_type", "attempt", "update_id"):
        if name in about:
            event.setdefault(name, about[name])


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        lift_temporal,
    ]
