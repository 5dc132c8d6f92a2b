"""Wiring without live adapters, for tests that look at what is registered and call nothing."""

from typing import Any, cast

from temporalio import activity

import worker


def no_adapters() -> worker.Adapters:
    return worker.Adapters(*[cast("Any", {})] * 7, return_url="")


def activity_name(method: object) -> str:
    definition = activity._Definition.must_from_callable(cast("Any", method))
    if definition.name is None:
        raise AssertionError(f"{method} has no name of its own")
    return definition.name
