"""Steps between starting servers and starting the shop: schema and catalogue."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable

from devstack.errors import StackError
from devstack.home import Home


def migrate(home: Home, owner_url: str) -> None:
    """Bring the schema up to date under the owner role. Raises StackError."""
    upgrade = _function("commerce.persistence.migrate", "upgrade")
    _step(home, "migrations", lambda: upgrade(owner_url))


def seed(home: Home, owner_url: str) -> None:
    """Fill the catalogue and the stock unless that was done before. Raises StackError."""
    fill = _function("devstack.seed", "seed")
    _step(home, "seed", lambda: fill(owner_url))


def _function(module: str, name: str) -> Callable[[str], object]:
    try:
        found: Callable[[str], object] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise StackError(f"{module}.{name} cannot be loaded: {error}") from error
    return found


def _step(home: Home, name: str, work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as error:  # the edge: any fault of a step is one line here and whole in its log
        home.log(name).write_text(traceback.format_exc())
        first = str(error).strip().splitlines() or [type(error).__name__]
        raise StackError(f"{name} failed: {first[0]} (see {home.log(name)})") from error
