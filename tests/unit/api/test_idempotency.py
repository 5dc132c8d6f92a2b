import json

import pytest

from api.errors import IdempotencyKeyMalformed, IdempotencyKeyMissing
from api.idempotency import parse_key, replay, slot
from commerce.domain.messaging import StoredResponse


@pytest.mark.parametrize("header", ["k-1", '"k-1"', "  k-1 ", ' "k-1"'])
def test_a_key_is_the_same_quoted_or_bare(header: str) -> None:
    assert parse_key(header) == "k-1"


@pytest.mark.parametrize("header", [None, "", "   "])
def test_a_missing_key_names_the_header(header: str | None) -> None:
    with pytest.raises(IdempotencyKeyMissing) as missing:
        parse_key(header)
    assert missing.value.status == 400
    assert missing.value.faults[0].pointer == "/header/idempotency-key"


@pytest.mark.parametrize("header", ['""', "two words", "k\x00", "é", '"k', "k" * 256, "a,b"])
def test_a_malformed_key_has_a_slug_of_its_own(header: str) -> None:
    with pytest.raises(IdempotencyKeyMalformed) as malformed:
        parse_key(header)
    assert (malformed.value.status, malformed.value.slug) == (400, "idempotency-key-malformed")


def test_a_key_of_255_characters_is_taken() -> None:
    assert parse_key("k" * 255) == "k" * 255


def test_equal_calls_have_one_update_id_whatever_the_order_of_fields() -> None:
    first = slot("person:a", "checkout", "k", {"x": 1, "y": {"b": 2, "a": 1}})
    again = slot("person:a", "checkout", "k", {"y": {"a": 1, "b": 2}, "x": 1})
    assert first == again
    assert first.update_id == again.update_id


def test_callers_operations_and_payloads_are_told_apart() -> None:
    base = slot("person:a", "checkout", "k", {"x": 1})
    other_caller = slot("person:b", "checkout", "k", {"x": 1})
    other_operation = slot("person:a", "refund", "k", {"x": 1})
    other_payload = slot("person:a", "checkout", "k", {"x": 2})
    assert base.update_id != other_caller.update_id
    assert base.key != other_caller.key
    assert base.update_id != other_operation.update_id
    assert base.update_id == other_payload.update_id
    assert base.fingerprint != other_payload.fingerprint


def test_nothing_derived_shows_the_clients_key() -> None:
    place = slot("person:a", "checkout", "my-secret-key", {})
    assert "my-secret-key" not in place.update_id + place.key + place.fingerprint


def test_a_replay_says_so_and_keeps_status_body_and_kind() -> None:
    fine = replay(StoredResponse(201, {"order_id": "ord_1"}), replayed=True)
    refused = replay(StoredResponse(402, {"type": "x"}), replayed=False)
    assert fine.status_code == 201
    assert fine.headers["idempotency-replayed"] == "true"
    assert fine.headers["content-type"] == "application/json"
    assert json.loads(bytes(fine.body)) == {"order_id": "ord_1"}
    assert refused.headers["content-type"] == "application/problem+json"
    assert "idempotency-replayed" not in refused.headers
