import os
import time
from dataclasses import dataclass

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from commerce.runtime.codec import ENCODING, KEY_ID, CodecError, EncryptingCodec, data_converter

CANARY = "ada.lovelace@example.org"
OLD, NEW = os.urandom(32), os.urandom(32)


@dataclass(frozen=True)
class Letter:
    recipient: str
    pages: int


def _payload() -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=f'"{CANARY}"'.encode())


async def test_a_message_comes_back_as_it_was_sent() -> None:
    converter = data_converter({"k1": OLD})
    letter = Letter(CANARY, 3)

    sealed = await converter.encode([letter, None, "text"])
    opened = await converter.decode(sealed, [Letter, type(None), str])

    assert opened == [letter, None, "text"]
    assert [payload.metadata["encoding"] for payload in sealed] == [ENCODING] * 3
    assert {payload.metadata[KEY_ID] for payload in sealed} == {b"k1"}


async def test_no_sealed_payload_shows_what_is_in_it() -> None:
    sealed = await data_converter({"k1": OLD}).encode([Letter(CANARY, 3), CANARY, {"mail": CANARY}])

    assert not any(CANARY.encode() in payload.SerializeToString() for payload in sealed)


async def test_the_same_value_is_sealed_differently_each_time() -> None:
    codec = EncryptingCodec({"k1": OLD})

    first, second = await codec.encode([_payload(), _payload()])

    assert first.data != second.data


@pytest.mark.parametrize("at", [0, 13, -1])
async def test_a_changed_byte_is_noticed(at: int) -> None:
    codec = EncryptingCodec({"k1": OLD})
    (sealed,) = await codec.encode([_payload()])
    data = bytearray(sealed.data)
    data[at] ^= 1
    sealed.data = bytes(data)

    with pytest.raises(CodecError, match="changed"):
        await codec.decode([sealed])


async def test_a_payload_cut_short_is_noticed() -> None:
    codec = EncryptingCodec({"k1": OLD})
    (sealed,) = await codec.encode([_payload()])
    sealed.data = sealed.data[:5]

    with pytest.raises(CodecError, match="changed"):
        await codec.decode([sealed])


async def test_a_key_id_exchanged_for_another_of_the_ring_is_noticed() -> None:
    codec = EncryptingCodec({"k1": OLD, "k2": OLD})
    (sealed,) = await codec.encode([_payload()])
    sealed.metadata[KEY_ID] = b"k2"

    with pytest.raises(CodecError, match="changed"):
        await codec.decode([sealed])


async def test_after_a_rotation_old_payloads_open_and_new_ones_use_the_new_key() -> None:
    (before,) = await EncryptingCodec({"old": OLD}).encode([_payload()])
    rotated = EncryptingCodec({"new": NEW, "old": OLD})

    assert await rotated.decode([before]) == [_payload()]
    (after,) = await rotated.encode([_payload()])
    assert after.metadata[KEY_ID] == b"new"


async def test_an_unknown_key_is_named() -> None:
    (sealed,) = await EncryptingCodec({"retired": OLD}).encode([_payload()])

    with pytest.raises(CodecError, match="'retired'"):
        await EncryptingCodec({"new": NEW}).decode([sealed])


async def test_a_payload_that_was_never_sealed_passes() -> None:
    assert await EncryptingCodec({"k1": OLD}).decode([_payload()]) == [_payload()]


def test_an_empty_ring_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        EncryptingCodec({})


async def test_failures_hide_message_trace_details_and_cause() -> None:
    converter = data_converter({"k1": OLD})
    failure = Failure()
    try:
        try:
            raise ValueError(f"inner {CANARY}")
        except ValueError as inner:
            raise ApplicationError(f"mail to {CANARY} failed", {"to": CANARY}, type="Retryable") from inner
    except ApplicationError as error:
        await converter.encode_failure(error, failure)

    assert CANARY.encode() not in failure.SerializeToString()
    assert failure.message == "Encoded failure"
    assert failure.stack_trace == ""
    back = await converter.decode_failure(failure)
    assert isinstance(back, ApplicationError)
    assert back.message == f"mail to {CANARY} failed"
    assert back.type == "Retryable"
    assert back.details == ({"to": CANARY},)


async def test_sealing_and_opening_a_small_payload_costs_well_under_a_millisecond() -> None:
    codec = EncryptingCodec({"k1": OLD})
    started = time.process_time()
    for _ in range(200):
        await codec.decode(await codec.encode([_payload()]))

    assert (time.process_time() - started) / 200 < 0.001
