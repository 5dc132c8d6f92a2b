import base64
from typing import Any

import pytest
from pydantic import ValidationError

from commerce.runtime.settings import CommonSettings, GatewaySettings, WorkerSettings, parse_codec_keys

KEY = base64.b64encode(b"k" * 32).decode()
CLEAN = {
    "mode": "production",
    "database_url": "postgresql+psycopg://app:s3cr3t-of-app@db.internal/commerce",
    "valkey_url": "rediss://cache.internal:6379/0",
    "temporal_address": "temporal.internal:7233",
    "temporal_ui_url": "https://temporal.internal",
    "codec_keys": f"2026-11:{KEY}",
    "public_url": "https://shop.example",
}
GATEWAY = {
    "cognito_issuer": "https://cognito-idp.eu-west-1.amazonaws.com/p",
    "cognito_jwks_url": "https://cognito-idp.eu-west-1.amazonaws.com/p/.well-known/jwks.json",
    "cognito_client_id": "c",
    "stripe_secret_key": "sk_live_0123456789",
    "stripe_webhook_secret": "whsec_0123456789",
    "carrier_webhook_secret": "0123456789",
    "carrier_api_key": "EZAK0123456789",
}
WORKER = {**GATEWAY, "sns_topic_prefix": "arn:aws:sns:eu-west-1:1:", "mail_sender": "shop@shop.example"}


def common(**changed: Any) -> CommonSettings:
    return CommonSettings(_env_file=None, **{**CLEAN, **changed})


def test_clean_settings_are_fit_for_production() -> None:
    assert common().mode == "production"
    assert GatewaySettings(_env_file=None, **CLEAN, **GATEWAY).gateway_port == 8000
    assert WorkerSettings(_env_file=None, **CLEAN, **WORKER).drain_seconds == 20


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"codec_keys": f"dev:{KEY}"}, "codec_keys is a development secret"),
        ({"database_url": "postgresql+psycopg://app:x@127.0.0.1/commerce"}, "database_url points at this"),
        ({"valkey_url": "redis://localhost:6379/0"}, "valkey_url points at this"),
        ({"public_url": "http://127.0.0.1:8000"}, "public_url points at this"),
        ({"aws_endpoint_url": "https://aws.internal"}, "aws_endpoint_url is set"),
    ],
)
def test_production_does_not_start_with_what_belongs_to_development(
    changed: dict[str, str], named: str
) -> None:
    with pytest.raises(ValidationError, match=named):
        common(**changed)


@pytest.mark.parametrize("name", ["stripe_secret_key", "stripe_webhook_secret", "carrier_api_key"])
def test_production_refuses_the_local_stacks_own_secrets(name: str) -> None:
    secrets = {
        "stripe_secret_key": "sk_test_devstack",
        "stripe_webhook_secret": "whsec_devstack",
        "carrier_api_key": "EZTK_devstack",
    }
    with pytest.raises(ValidationError, match=f"{name} is a development secret"):
        GatewaySettings(_env_file=None, **CLEAN, **{**GATEWAY, name: secrets[name]})


def test_a_refusal_and_a_repr_never_show_a_secret() -> None:
    with pytest.raises(ValidationError) as refused:
        common(database_url="postgresql+psycopg://app:s3cr3t-of-app@127.0.0.1/commerce")
    assert "s3cr3t-of-app" not in str(refused.value)
    assert "s3cr3t-of-app" not in repr(common())


def test_the_first_codec_key_is_the_current_one() -> None:
    other = base64.b64encode(b"o" * 32).decode()
    assert list(parse_codec_keys(f"new:{KEY},old:{other}")) == ["new", "old"]


@pytest.mark.parametrize("text", ["", "k", "k:", "k:short", f":{KEY}", f"k:{KEY},broken"])
def test_a_malformed_codec_key_is_refused_by_its_id_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match="codec key") as refused:
        parse_codec_keys(text)
    assert KEY not in str(refused.value)
