"""Secrets of the local stack, made once and kept in `.devstack/secrets.json`.

Each carries the mark `dev`, after the vendor's own prefix: production refuses to start with one.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from devstack.errors import StackError
from devstack.home import write_private
from devstack.servers.postgres import Passwords


@dataclass(frozen=True)
class Credentials:
    postgres_superuser: str
    postgres_owner: str
    postgres_app: str
    postgres_readonly: str
    codec_key: str
    """`id:base64 of 32 bytes`."""
    stripe_secret_key: str
    stripe_webhook_secret: str
    carrier_api_key: str
    carrier_webhook_secret: str
    people_password: str
    """One for all demo people."""

    @property
    def postgres(self) -> Passwords:
        return Passwords(
            self.postgres_superuser, self.postgres_owner, self.postgres_app, self.postgres_readonly
        )

    @classmethod
    def load(cls, path: Path) -> Credentials:
        """Read them, making those that are missing. Raises StackError for a file that is no JSON object."""
        known = _read(path)
        made = _generate()
        complete = cls(**{f.name: known.get(f.name, made[f.name]) for f in fields(cls)})
        if asdict(complete) != known:
            write_private(path, json.dumps(asdict(complete), indent=2) + "\n")
        return complete


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise StackError(f"{path} is damaged; `make clean` starts afresh") from error
    if not isinstance(found, dict):
        raise StackError(f"{path} is damaged; `make clean` starts afresh")
    return {str(key): str(value) for key, value in found.items()}


def _generate() -> dict[str, str]:
    def word() -> str:
        return f"dev{secrets.token_hex(16)}"

    return {
        "postgres_superuser": word(),
        "postgres_owner": word(),
        "postgres_app": word(),
        "postgres_readonly": word(),
        "codec_key": f"dev1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "stripe_secret_key": f"sk_test_{word()}",
        "stripe_webhook_secret": f"whsec_{word()}",
        "carrier_api_key": word(),
        "carrier_webhook_secret": word(),
        # Cognito's default policy wants a capital, a small letter, a digit and a symbol.
        "people_password": f"Dev-{secrets.token_hex(5)}-7",
    }
