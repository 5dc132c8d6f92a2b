"""The command as a stranger meets it: help, wrong usage, missing settings; no SDK is loaded for that."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commerce.cli.main import app, run

ROOT = Path(__file__).parents[3]
HEAVY = {"temporalio", "boto3", "botocore", "sqlalchemy", "psycopg", "httpx", "stripe", "fastapi"}


def test_help_loads_no_sdk_and_no_driver() -> None:
    code = (
        "import sys\nfrom commerce.cli.main import run\n"
        "for part in ([], ['orders'], ['demo'], ['replay'], ['doctor']):\n    run([*part, '--help'])\n"
        "print('LOADED', *sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.rpartition("LOADED")[2].split()}
    assert "typer" in loaded
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "command",
    [
        *(["dev"], ["seed"], ["token"], ["migrate"], ["demo"], ["doctor"], ["replay"], ["record"]),
        *(["orders", "list"], ["orders", "show"], ["orders", "explain"], ["orders", "cancel"]),
    ],
)
def test_every_command_says_what_it_does(command: list[str]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    assert len(shown.output.split("╭")[0].split()) > 8


def test_missing_settings_are_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEVSTACK_DIR", str(tmp_path))
    assert run(["doctor"]) == 2
    said = capsys.readouterr().err.strip()
    assert said.count("\n") == 0
    assert said.startswith("commerce: not set: COMMERCE_DATABASE_URL, COMMERCE_VALKEY_URL")


def test_a_wrong_setting_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEVSTACK_DIR", str(tmp_path))
    monkeypatch.setenv("COMMERCE_CODEC_KEYS", "k1:c2VjcmV0")
    assert run(["orders", "list"]) == 2
    said = capsys.readouterr().err
    assert "COMMERCE_CODEC_KEYS: Value error, codec key 'k1' is not `id:base64` of 32 bytes" in said
    assert "c2VjcmV0" not in said


def test_a_token_of_nobody_lists_the_demo_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["token", "--as", "burglar"]) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert "no demo person 'burglar': choose one of customer, other_customer" in answer.err


def test_a_token_without_a_stack_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEVSTACK_DIR", str(tmp_path))
    assert run(["token", "--as", "support"]) == 3
    assert capsys.readouterr().err == "commerce: the local stack is not running; `make dev` starts it\n"


def test_an_unknown_status_is_refused_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEVSTACK_DIR", str(tmp_path))
    assert run(["orders", "list", "--status", "Lost"]) == 2
    assert "no status 'Lost': one of Pending, Processing" in capsys.readouterr().err
