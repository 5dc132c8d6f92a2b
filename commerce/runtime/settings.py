"""Settings, one frozen class per process role, read from `COMMERCE_…` environment variables.

In development `.devstack/env`, written by `make dev`, fills in what the environment leaves open. Production
refuses to start with a development secret or an emulator's address.
"""

import base64
import binascii
import os
from enum import StrEnum
from pathlib import Path
from typing import Self

from dotenv import dotenv_values
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from commerce.contracts.checkout import CheckoutPolicy
from commerce.domain.orders import Address

LOCAL_ENV = Path(".devstack/env")

DEVELOPMENT_MARK = "dev"
"""Every secret that the local stack makes starts with this mark, after the vendor's own prefix."""


class Mode(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class CommonSettings(BaseSettings):
    """What every process of the shop needs."""

    model_config = SettingsConfigDict(
        env_prefix="COMMERCE_",
        env_file=LOCAL_ENV,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    mode: Mode = Mode.DEVELOPMENT
    database_url: SecretStr = Field(description="PostgreSQL as the app role, `postgresql+psycopg://…`.")
    database_pool_size: int = Field(10, ge=1, description="Connections per process; × processes < max.")
    valkey_url: SecretStr
    temporal_address: str
    temporal_namespace: str = "default"
    temporal_ui_url: str = "http://127.0.0.1:8233"
    codec_keys: SecretStr = Field(
        description="`keyid:base64 of 32 bytes`, comma separated; the first encrypts, all decrypt."
    )
    aws_region: str = "us-east-1"
    aws_endpoint_url: str | None = Field(None, description="An emulator's address; none in production.")
    dynamodb_endpoint_url: str | None = None
    sns_endpoint_url: str | None = None
    ses_endpoint_url: str | None = None
    cart_table: str = "carts"
    cart_days: int = Field(30, ge=1, description="Days after its last use at which a cart expires.")
    public_url: str = Field("http://127.0.0.1:8000", description="Where shoppers reach the gateway.")
    log_level: str = "INFO"
    sender_address: Address = Field(
        default=Address("Dispatch", "1 Dock Road", "London", "E16 1AH", "GB", phone="+442071234567"),
        description="Where parcels come from, as a JSON object.",
    )
    hold_seconds: int = Field(900, ge=10, description="How long a checkout holds stock before payment.")
    hold_extension_seconds: int = Field(900, ge=10, description="Given once, during 3-D Secure.")
    returns_window_days: int = Field(30, ge=0, description="After delivery; the workflow ends with it.")
    attention_after_seconds: int = Field(120, ge=1, description="A step failing for longer is shown.")

    @field_validator("codec_keys")
    @classmethod
    def _codec_keys_are_aes_256(cls, value: SecretStr) -> SecretStr:
        parse_codec_keys(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _production_is_clean(self) -> Self:
        if self.mode is Mode.PRODUCTION:
            faults = production_faults(self)
            if faults:
                raise ValueError("not fit for production: " + "; ".join(sorted(faults)))
        return self

    @property
    def aws_endpoints(self) -> dict[str, str | None]:
        """Addresses of single services that differ from `aws_endpoint_url`."""
        return {
            "dynamodb": self.dynamodb_endpoint_url,
            "sns": self.sns_endpoint_url,
            "ses": self.ses_endpoint_url,
        }

    @property
    def checkout_policy(self) -> CheckoutPolicy:
        """What is frozen into each new order's workflow."""
        return CheckoutPolicy(
            hold_seconds=self.hold_seconds,
            hold_extension_seconds=self.hold_extension_seconds,
            returns_window_seconds=self.returns_window_days * 86_400,
            attention_after_seconds=self.attention_after_seconds,
        )


class GatewaySettings(CommonSettings):
    """The REST gateway."""

    gateway_host: str = "127.0.0.1"
    gateway_port: int = 8000
    gateway_metrics_port: int = Field(9464, description="Prometheus, on loopback or a private net only.")
    cognito_issuer: str = Field(description="Exact `iss` of access tokens.")
    cognito_jwks_url: str
    cognito_client_id: str
    stripe_secret_key: SecretStr
    stripe_webhook_secret: SecretStr
    stripe_api_base: str = "https://api.stripe.com"
    carrier_webhook_secret: SecretStr
    carrier_api_base: str = "https://api.easypost.com/v2"
    carrier_api_key: SecretStr
    answer_within_seconds: float = Field(8.0, gt=0, description="A checkout not done by then: 202.")
    attach_within_seconds: float = Field(10.0, gt=0, description="A repeat without answer by then: 409.")
    body_limit_bytes: int = Field(256 * 1024, ge=1024)
    cors_origins: list[str] = Field(default_factory=list, description="Closed unless listed.")


class WorkerSettings(CommonSettings):
    """The workers: activities, workflows, relays."""

    worker_metrics_port: int = 9465
    stripe_secret_key: SecretStr
    stripe_webhook_secret: SecretStr
    stripe_api_base: str = "https://api.stripe.com"
    carrier_api_base: str = "https://api.easypost.com/v2"
    carrier_api_key: SecretStr
    carrier_webhook_secret: SecretStr
    sns_topic_prefix: str = Field(description="ARN of a topic without its name.")
    mail_sender: str
    drain_seconds: int = Field(20, ge=1, description="Between SIGTERM and giving activities up.")
    sweep_seconds: int = Field(15, ge=1, description="How often lost intents are looked for.")
    silent_seconds: float = Field(900, gt=0, description="Provider and carrier are asked after this long.")
    relay_poll_seconds: float = Field(2.0, gt=0, description="Where no NOTIFY came.")


class OperatorSettings(CommonSettings):
    """The `commerce` command and migrations; the owner role is never given to a serving process."""

    database_owner_url: SecretStr | None = None
    database_readonly_url: SecretStr | None = None
    cognito_user_pool_id: str | None = None
    cognito_client_id: str | None = None


def adopt_local_identity(settings: CommonSettings, env_file: Path = LOCAL_ENV) -> None:
    """For a process started by hand beside the local stack: AWS's SDK reads the environment alone.

    All of the developer's own `AWS_…` variables go, so that no call ever carries a real account's key.
    Changes nothing in production, nor where the file names no identity.
    """
    if settings.mode is not Mode.DEVELOPMENT or settings.aws_endpoint_url is None or not env_file.exists():
        return
    ours = {
        name: value for name, value in dotenv_values(env_file).items() if name.startswith("AWS_") and value
    }
    if "AWS_ACCESS_KEY_ID" not in ours:
        return
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(ours)


def parse_codec_keys(text: str) -> dict[str, bytes]:
    """Key id to key, current first. Raises ValueError that names the faulty id, never the key."""
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        key_id, colon, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not colon or not key_id or len(key) != 32:
            raise ValueError(f"codec key {key_id!r} is not `id:base64` of 32 bytes")
        keys[key_id] = key
    return keys


def production_faults(settings: CommonSettings) -> list[str]:
    """Settings that must not be seen in production: development secrets and loopback addresses."""
    faults = []
    for name, value in settings:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not isinstance(text, str):
            continue
        if isinstance(value, SecretStr) and _is_development_secret(text):
            faults.append(f"{name} is a development secret")
        if "://127.0.0.1" in text or "://localhost" in text or "@127.0.0.1" in text:
            faults.append(f"{name} points at this machine")
    if settings.aws_endpoint_url:
        faults.append("aws_endpoint_url is set")
    return faults


def _is_development_secret(text: str) -> bool:
    return any(mark in text for mark in (":dev", "_dev", "sk_test_", "whsec_dev")) or text.startswith(
        DEVELOPMENT_MARK
    )
