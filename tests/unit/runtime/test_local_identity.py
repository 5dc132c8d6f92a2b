"""A process started by hand beside the local stack calls AWS as the stack does, never as the developer."""

import os
from pathlib import Path

import pytest

from commerce.runtime.settings import CommonSettings, Mode, adopt_local_identity

STACK = (
    "COMMERCE_LOG_LEVEL=INFO\nAWS_ACCESS_KEY_ID=dev\nAWS_SECRET_ACCESS_KEY=dev\nAWS_CONFIG_FILE=/dev/null\n"
)
MINE = {"AWS_ACCESS_KEY_ID": "AKIAMINE", "AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "mine"}


@pytest.fixture(autouse=True)
def developer(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | MINE
    monkeypatch.setattr(os, "environ", mine)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    file = tmp_path / "env"
    file.write_text(STACK)
    return file


def settings(mode: Mode = Mode.DEVELOPMENT, endpoint: str | None = "http://127.0.0.1:4566") -> CommonSettings:
    return CommonSettings.model_construct(mode=mode, aws_endpoint_url=endpoint)


def aws_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


def test_the_stacks_identity_replaces_the_developers_own(env_file: Path) -> None:
    adopt_local_identity(settings(), env_file)
    assert aws_variables() == {
        "AWS_ACCESS_KEY_ID": "dev",
        "AWS_SECRET_ACCESS_KEY": "dev",
        "AWS_CONFIG_FILE": "/dev/null",
    }


@pytest.mark.parametrize(
    "kept",
    [settings(Mode.PRODUCTION), settings(Mode.TEST), settings(endpoint=None)],
    ids=["production", "test", "real endpoints"],
)
def test_elsewhere_the_environment_stays(kept: CommonSettings, env_file: Path) -> None:
    adopt_local_identity(kept, env_file)
    assert aws_variables() == MINE


def test_a_file_without_an_identity_takes_none_away(env_file: Path, tmp_path: Path) -> None:
    env_file.write_text("COMMERCE_LOG_LEVEL=INFO\n")
    adopt_local_identity(settings(), env_file)
    adopt_local_identity(settings(), tmp_path / "none")
    assert aws_variables() == MINE
