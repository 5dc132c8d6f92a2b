"""Encryption of everything that Temporal stores: payloads and failures leave the process as AES-256-GCM only.

The nonce is random: one key may seal 2^32 payloads, so a ring is rotated long before that, by putting a
new key first and keeping the old ones for as long as their histories live.
"""

import os
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"

_NONCE_BYTES = 12


class CodecError(ValueError):
    """A payload cannot be read: its key is not in the ring, or it was changed after it was sealed."""


class EncryptingCodec(PayloadCodec):
    """Seals with the first key of the ring and opens with any; payloads that were never sealed pass."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """`keys` maps key ids to 32 bytes, the current one first. Raises ValueError for an empty ring."""
        if not keys:
            raise ValueError("the codec needs at least one key")
        self._ring = {key_id.encode(): AESGCM(key) for key_id, key in keys.items()}
        self._current = next(iter(self._ring))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises CodecError."""
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ring[self._current].encrypt(nonce, payload.SerializeToString(), self._current)
        return Payload(metadata={"encoding": ENCODING, KEY_ID: self._current}, data=nonce + sealed)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        key_id = payload.metadata.get(KEY_ID, b"")
        key = self._ring.get(key_id)
        if key is None:
            raise CodecError(f"no codec key {key_id.decode(errors='replace')!r} in the ring")
        try:
            plain = key.decrypt(payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:], key_id)
        except (InvalidTag, ValueError) as error:
            raise CodecError("a payload was changed after it was sealed") from error
        return Payload.FromString(plain)


def data_converter(keys: Mapping[str, bytes]) -> DataConverter:
    """The one converter of every client, worker and replayer: pydantic inside, encrypted outside."""
    return DataConverter(
        payload_converter_class=PydanticPayloadConverter,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
        payload_codec=EncryptingCodec(keys),
    )
