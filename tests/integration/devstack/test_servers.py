"""Each real server starts on loopback, answers, stops, and keeps its data."""

from __future__ import annotations

import os
import pwd
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped] # its stubs are not locked
import psycopg
import pytest
from redis import Redis

from devstack import ports
from devstack.errors import StackError
from devstack.home import Home
from devstack.processes import Child, Launch
from devstack.servers import ordinary_user, postgres, valkey
from devstack.servers.aws import Ministack, http_ok
from devstack.servers.postgres import APP, OWNER, READONLY, Passwords, Postgres
from devstack.servers.temporal import Temporal, TemporalPorts
from devstack.servers.valkey import Valkey
from devstack.testing import TestServers

PASSWORDS = Passwords("super-pw", "owner-pw", "app-pw", "readonly-pw")


@pytest.fixture(scope="module")
def folder(servers: TestServers) -> Path:
    return servers.folder / "own"


@pytest.fixture
def cluster(servers: TestServers) -> Iterator[tuple[Postgres, Child]]:
    server = Postgres(
        servers.folder / "cluster",
        ports.free_port(),
        PASSWORDS,
        servers.folder / "cluster.log",
        durable=False,
    )
    child = server.start()
    yield server, child
    child.stop()


def only_loopback(child: Child) -> bool:
    connections = psutil.Process(child.pid).net_connections("inet")
    listening = [c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN]
    return bool(listening) and set(listening) == {"127.0.0.1"}


def test_postgres_has_the_roles_knows_unicode_and_keeps_its_data(cluster: tuple[Postgres, Child]) -> None:
    server, child = cluster
    with psycopg.connect(server.conninfo(OWNER)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT lower('ÄÉ') AS word")
    with psycopg.connect(server.conninfo(APP)) as connection:
        version, limit = connection.execute(
            "SELECT current_setting('server_version_num')::int, current_setting('max_connections')::int"
        ).fetchone() or (0, 0)
        assert version // 10_000 == 18
        assert limit >= 200
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (id int)")
    assert only_loopback(child)
    child.stop()
    child = server.start()
    with psycopg.connect(server.conninfo(OWNER)) as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("äé",)]
    child.stop()
    assert not ports.answers(server.port)


def test_postgres_refuses_a_wrong_password(cluster: tuple[Postgres, Child]) -> None:
    server, _ = cluster
    wrong = server.conninfo(READONLY).replace("readonly-pw", "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_postgres_data_of_other_passwords_is_one_clear_line(cluster: tuple[Postgres, Child]) -> None:
    server, child = cluster
    stranger = Postgres(server.data_dir, server.port, Passwords("x", "x", "x", "x"), server.log)
    with pytest.raises(StackError, match="other passwords; `make clean`"):
        stranger.wait_ready(child)


def test_valkey_keeps_its_keys_over_a_stop(folder: Path) -> None:
    server = Valkey(folder / "valkey", ports.free_port(), folder / "valkey.log")
    child = server.start()
    with Redis.from_url(server.url) as client:
        client.set("cart", "3")
    assert only_loopback(child)
    child.stop()
    child = server.start()
    with Redis.from_url(server.url) as client:
        assert client.get("cart") == b"3"
    assert child.stop() == 0


def test_temporal_takes_a_new_search_attribute_into_an_old_file(folder: Path) -> None:
    at = TemporalPorts(*ports.assign(("grpc", "ui", "http", "metrics")).values())
    first = {"OrderStatus": "Keyword"}
    codec = "http://127.0.0.1:9/codec"
    server = Temporal(folder / "temporal.db", at, folder / "temporal.log", first, codec_endpoint=codec)
    child = server.start()
    assert only_loopback(child)
    assert http_ok(server.ui_url)
    assert http_ok(f"http://127.0.0.1:{at.metrics}/metrics")
    child.stop()
    later = Temporal(folder / "temporal.db", at, folder / "temporal.log", {**first, "OrderTotal": "Int"})
    child = later.start()
    assert later._operator("search-attribute", "create", "--name", "OrderTotal", "--type", "Int")
    child.stop()
    changed = Temporal(folder / "temporal.db", at, folder / "temporal.log", {"OrderTotal": "Keyword"})
    child = Child(changed.launch())
    with pytest.raises(StackError, match="OrderTotal changed its type"):
        changed.wait_ready(child)
    child.stop()


def test_aws_emulator_listens_on_loopback_only(folder: Path) -> None:
    server = Ministack(folder / "aws", ports.free_port(), folder / "aws.log")
    child = server.start()
    assert only_loopback(child)
    child.stop()
    assert not ports.answers(server.port)


def test_a_child_that_ignores_the_stop_signal_is_killed(folder: Path) -> None:
    code = "import signal,time\nsignal.signal(15, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(60)"
    launch = Launch("stubborn", [sys.executable, "-c", code], folder / "stubborn.log")
    child = Child(launch)
    child.wait_ready(lambda: "up" in launch.log.read_text())
    assert child.stop(grace=0.2) == -9


def test_a_child_that_ends_early_says_why(folder: Path) -> None:
    child = Child(Launch("broken", ["/nonexistent/program"], folder / "broken.log"))
    with pytest.raises(
        StackError, match="broken ended with 1: cannot run /nonexistent/program: No such file"
    ):
        child.wait_ready(lambda: False)


def test_a_taken_port_asked_for_by_name_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=rf"port {port} \(DEVSTACK_PORT_GATEWAY\) is taken"):
            ports.assign(["gateway"], environ={"DEVSTACK_PORT_GATEWAY": str(port)})


def test_ports_stay_the_same_unless_taken(tmp_path: Path) -> None:
    record = tmp_path / "ports.json"
    first = ports.assign(["gateway", "worker"], record, environ={})
    assert ports.assign(["gateway", "worker"], record, environ={}) == first
    with socket.create_server(("127.0.0.1", first["gateway"])):
        moved = ports.assign(["gateway", "worker"], record, environ={})
    assert moved["gateway"] != first["gateway"]
    assert moved["worker"] == first["worker"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_without_namespaces_runs_postgres_as_nobody(
    servers: TestServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordinary_user, "_namespace_prefix", tuple)
    home = servers.folder / "cannot-enter"
    closed = Postgres(home / "postgres", ports.free_port(), PASSWORDS, home / "postgres.log", durable=False)
    with pytest.raises(StackError, match=r"`nobody` cannot reach .*; run as an ordinary user"):
        closed.prepare()
    servers.folder.chmod(0o711)
    child = closed.start()
    try:
        assert psutil.Process(child.pid).uids().real == pwd.getpwnam("nobody").pw_uid
        with psycopg.connect(closed.conninfo(APP)) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (APP,)
    finally:
        child.stop()
        servers.folder.chmod(0o700)


def test_too_little_disk_space_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"too little disk space at .*: \d+ MiB free, \d+ MiB needed"):
        Home(tmp_path / "stack").create(disk_needed=1 << 60)


@pytest.mark.parametrize("find", [postgres.binary, lambda _: valkey.binary()])
def test_a_missing_program_is_one_clear_line(
    find: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "find_spec", lambda _: None)
    monkeypatch.setattr(valkey, "find_spec", lambda _: None)
    with pytest.raises(StackError, match=r"is missing: `make .venv/.installed` installs it"):
        find("initdb")
