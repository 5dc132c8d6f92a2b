"""What importing the workflows brings in, and what crosses between workflow and activity."""

import importlib
import subprocess
import sys
import typing
from collections.abc import Iterator
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path

import pytest
from support.wiring import activity_name, no_adapters
from temporalio.workflow import _Definition as WorkflowDefinition

import worker
from commerce.contracts.queues import TaskQueue

ROOT = Path(__file__).parents[2]
FORBIDDEN = {"boto3", "botocore", "stripe", "easypost", "sqlalchemy", "psycopg", "redis", "fastapi", "httpx"}


def test_importing_the_workflows_brings_in_no_sdk_and_no_database() -> None:
    modules = ", ".join(
        f"workflows.{path.stem}" for path in (ROOT / "workflows").glob("*.py") if path.stem != "__init__"
    )
    code = f"import sys, {modules}; print('\\n'.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert FORBIDDEN.isdisjoint(name.partition(".")[0] for name in loaded)
    assert not [name for name in loaded if name.startswith(("commerce.persistence", "commerce.providers"))]
    assert "activities.orders" in loaded


def test_every_workflow_is_served_by_exactly_one_queue() -> None:
    served = [workflow for workflows in worker.WORKFLOWS.values() for workflow in workflows]
    defined = set(_defined_workflows())
    assert set(worker.WORKFLOWS) == set(TaskQueue)
    assert len(served) == len(set(served))
    assert set(served) == defined


def test_every_activity_is_served_by_exactly_one_queue() -> None:
    served = [
        activity_name(method)
        for methods in worker.activities_of(no_adapters()).values()
        for method in methods
    ]
    defined = set(_defined_activities())
    assert len(served) == len(set(served))
    assert set(served) == defined


def test_only_contract_types_cross_between_workflow_and_activity() -> None:
    for owner, method in _signatures():
        hints = typing.get_type_hints(method)
        assert hints, f"{owner}: untyped"
        for name, hint in hints.items():
            for kind in _flatten(hint):
                assert _may_cross(kind), f"{owner}: {name} is {kind}"


def _signatures() -> Iterator[tuple[str, typing.Any]]:
    for methods in worker.activities_of(no_adapters()).values():
        for method in methods:
            yield activity_name(method), method
    for workflows in worker.WORKFLOWS.values():
        for workflow in workflows:
            definition = WorkflowDefinition.must_from_class(workflow)
            yield definition.name or "", definition.run_fn
            for handlers in (definition.signals, definition.queries, definition.updates):
                for handler in handlers.values():
                    yield f"{definition.name}.{handler.name}", handler.fn


def _may_cross(kind: object) -> bool:
    if kind in {str, int, float, bool, type(None)}:
        return True
    if not isinstance(kind, type):
        return False
    inside = kind.__module__.startswith("commerce.contracts.")
    return inside and (is_dataclass(kind) or issubclass(kind, Enum))


def _flatten(hint: object) -> Iterator[object]:
    arguments = typing.get_args(hint)
    if not arguments:
        yield hint
    for argument in arguments:
        yield from _flatten(argument)


def _defined_workflows() -> Iterator[type]:
    for path in (ROOT / "workflows").glob("*.py"):
        module = importlib.import_module(f"workflows.{path.stem}" if path.stem != "__init__" else "workflows")
        for value in vars(module).values():
            if isinstance(value, type) and WorkflowDefinition.from_class(value) is not None:
                yield value


def _defined_activities() -> Iterator[str]:
    for path in (ROOT / "activities").glob("*.py"):
        module = importlib.import_module(
            f"activities.{path.stem}" if path.stem != "__init__" else "activities"
        )
        for owner in vars(module).values():
            if isinstance(owner, type) and owner.__module__ == module.__name__:
                for member in vars(owner).values():
                    definition = getattr(member, "__temporal_activity_definition", None)
                    if definition is not None:
                        yield definition.name


@pytest.mark.parametrize("package", ["workflows", "activities"])
def test_every_workflow_and_activity_is_named_explicitly(package: str) -> None:
    for path in (ROOT / package).glob("*.py"):
        text = path.read_text()
        assert "@workflow.defn\n" not in text, path
        assert "@activity.defn\n" not in text, path
