"""Secrets, settings and figures of the local stack that need no server."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from commerce.runtime.settings import (
    GatewaySettings,
    OperatorSettings,
    WorkerSettings,
    production_faults,
)
from devstack.cognito import UserPool
from devstack.cpu import seconds_by_part
from devstack.credentials import Credentials
from devstack.environment import PORT_NAMES, Addresses, for_serving, settings, write_env
from devstack.errors import StackError
from devstack.home import Home, write_private
from devstack.leftovers import Identity

POOL = UserPool("us-east-1_x", "client", "https://issuer/us-east-1_x", "http://127.0.0.1:1/jwks.json")
AT = Addresses({name: 20_000 + number for number, name in enumerate(PORT_NAMES)})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path / "stack")
    found.create(disk_needed=0)
    return found


def test_secrets_are_made_once_and_for_the_owner_only(home: Home) -> None:
    first = Credentials.load(home.secrets)
    assert Credentials.load(home.secrets) == first
    assert stat.S_IMODE(home.secrets.stat().st_mode) == 0o600
    assert len({*vars(first).values()}) == len(vars(first))


def test_a_secret_added_later_leaves_the_others_alone(home: Home) -> None:
    first = Credentials.load(home.secrets)
    known = json.loads(home.secrets.read_text())
    del known["carrier_api_key"]
    home.secrets.write_text(json.dumps(known))
    later = Credentials.load(home.secrets)
    assert later.carrier_api_key != first.carrier_api_key
    assert later.postgres == first.postgres


def test_damaged_secrets_are_one_clear_line(home: Home) -> None:
    home.secrets.write_text("{")
    with pytest.raises(StackError, match=r"secrets\.json is damaged; `make clean` starts afresh"):
        Credentials.load(home.secrets)
    assert home.secrets.read_text() == "{"


def test_the_settings_written_are_those_that_the_processes_read(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {})
    credentials = Credentials.load(home.secrets)
    write_env(home, settings(AT, credentials, POOL))
    gateway = GatewaySettings(_env_file=home.env)
    worker = WorkerSettings(_env_file=home.env)
    operator = OperatorSettings(_env_file=home.env)
    assert gateway.gateway_port == AT.ports["gateway"]
    assert gateway.cognito_issuer == POOL.issuer
    assert worker.stripe_secret_key.get_secret_value() == credentials.stripe_secret_key
    assert worker.drain_seconds < 8
    assert operator.database_owner_url is not None
    assert "commerce_owner:" in operator.database_owner_url.get_secret_value()


def test_production_refuses_every_secret_of_the_local_stack(home: Home) -> None:
    complete = settings(AT, Credentials.load(home.secrets), POOL)
    write_env(home, complete)
    faults = production_faults(GatewaySettings(_env_file=home.env))
    named = {fault.removesuffix(" is a development secret") for fault in faults}
    assert named >= {
        *("database_url", "codec_keys", "stripe_secret_key", "stripe_webhook_secret"),
        *("carrier_api_key", "carrier_webhook_secret"),
    }


def test_serving_processes_do_not_get_the_owner_role(home: Home) -> None:
    complete = settings(AT, Credentials.load(home.secrets), POOL)
    served = for_serving(complete)
    assert complete.keys() - served.keys() == {
        "COMMERCE_DATABASE_OWNER_URL",
        "COMMERCE_DATABASE_READONLY_URL",
    }
    assert not any("commerce_owner" in value for value in served.values())


def test_a_private_file_replaces_one_that_others_could_read(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_an_identity_is_of_one_process_not_of_its_number() -> None:
    me = Identity.of(os.getpid())
    assert me.alive
    assert not Identity(me.pid, me.started + "1").alive
    ended = subprocess.Popen([sys.executable, "-c", ""])
    gone = Identity.of(ended.pid)
    ended.wait()
    assert not gone.alive


def test_processor_time_counts_children_too() -> None:
    burn = "import time\nwhile time.process_time() < 0.2: pass"
    nested = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]);"
        "print('done', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", nested], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        spent = seconds_by_part({"part": process.pid, "none": 0x7FFFFFFF})
        process.communicate("\n")
    assert spent["part"] >= 0.19
    assert spent["none"] == 0.0
