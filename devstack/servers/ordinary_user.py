"""PostgreSQL refuses to run as root: how root starts it as somebody else, touching only its data."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from functools import cache
from pathlib import Path

from devstack.errors import StackError


def ordinary_user_prefix(data_dir: Path) -> list[str]:
    """What to put before a command so that it does not run as root; empty for an ordinary user.

    First choice: a user namespace, in which root looks like an ordinary user and its files like that
    user's. Where namespaces are forbidden (some containers) the command runs as `nobody`, who then owns
    the data folder. Raises StackError when neither is possible.
    """
    if os.geteuid() != 0:
        return []
    if namespace := _namespace_prefix():
        return list(namespace)
    return _nobody_prefix(data_dir)


@cache
def _namespace_prefix() -> tuple[str, ...]:
    unshare = shutil.which("unshare")
    if unshare is None:
        return ()
    user = _mapped_user()
    prefix = (unshare, "-U", f"--map-user={user.pw_uid}", f"--map-group={user.pw_gid}")
    tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    return prefix if tried.returncode == 0 else ()


def _mapped_user() -> pwd.struct_passwd:
    """Any user with a name: initdb looks up the name of the user it runs as."""
    users = [entry for entry in pwd.getpwall() if 0 < entry.pw_uid < 60_000]
    if not users:
        raise StackError("PostgreSQL cannot run as root, and this machine has no other user")
    return max(users, key=lambda entry: (entry.pw_uid == 1000, -entry.pw_uid))


def _nobody_prefix(data_dir: Path) -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StackError(
            "PostgreSQL cannot run as root: `unshare -U` is forbidden here and `setpriv` is missing; "
            "run as an ordinary user"
        )
    nobody = pwd.getpwnam("nobody")
    prefix = [setpriv, f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    for path in (data_dir, *data_dir.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    tried = subprocess.run([*prefix, "test", "-w", str(data_dir)], capture_output=True, check=False)
    if tried.returncode != 0:
        raise StackError(
            f"PostgreSQL cannot run as root: `unshare -U` is forbidden here, and `nobody` cannot reach "
            f"{data_dir}; run as an ordinary user or set DEVSTACK_DIR to a folder others can enter"
        )
    return prefix
