import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import jwt
import pytest

from commerce.domain.errors import ProviderUnavailable
from commerce.domain.identity import Identity, Role, TokenRejected
from commerce.providers.cognito import TokenVerifier
from commerce.providers.cognito.keys import KeyRing
from devstack import cognito
from tests.integration.providers import aws_bench, token_forge
from tests.integration.providers.token_forge import CLIENT, ISSUER, Issuer

EMPTY = ""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.close()


@pytest.fixture
async def verifier(issuer: Issuer, clock: Clock) -> AsyncIterator[TokenVerifier]:
    verifier = TokenVerifier(issuer.url, ISSUER, CLIENT, keys=KeyRing(issuer.url, clock=clock))
    yield verifier
    await verifier.close()


async def _reason(verifier: TokenVerifier, token: str) -> str:
    with pytest.raises(TokenRejected) as caught:
        await verifier.verify(token)
    assert token not in str(caught.value) or not token
    return caught.value.reason


async def test_a_valid_token_tells_who_calls(verifier: TokenVerifier, issuer: Issuer) -> None:
    expiry = int(time.time()) + 600

    identity = await verifier.verify(issuer.token(exp=expiry, email="ada@example.org"))

    assert identity == Identity(
        subject="cus_1",
        roles=frozenset({Role.SUPPORT}),
        expires_at=datetime.fromtimestamp(expiry, UTC),
        email="ada@example.org",
    )


async def test_a_person_without_a_group_is_a_customer(verifier: TokenVerifier, issuer: Issuer) -> None:
    identity = await verifier.verify(issuer.token(**{"cognito:groups": None}))

    assert identity.roles == {Role.CUSTOMER}


async def test_no_algorithm_but_ours_is_accepted(verifier: TokenVerifier, issuer: Issuer) -> None:
    public = token_forge.as_pem(issuer.keys["first"])
    for header, secret in (
        ({"alg": "none", "kid": "first"}, None),
        ({"alg": "NONE", "kid": "first"}, None),
        ({"alg": "HS256", "kid": "first"}, public),
    ):
        forged = token_forge.by_hand(header, token_forge.claims(), secret)
        assert await _reason(verifier, forged) == "algorithm_or_key_id"
    unsigned = token_forge.by_hand({"alg": "RS256", "kid": "first"}, token_forge.claims())
    assert await _reason(verifier, unsigned) == "invalid"
    signed_by_hmac = token_forge.by_hand({"alg": "RS256", "kid": "first"}, token_forge.claims(), public)
    assert await _reason(verifier, signed_by_hmac) == "invalid"


async def test_a_foreign_key_under_a_known_id_is_refused(verifier: TokenVerifier, issuer: Issuer) -> None:
    assert await _reason(verifier, issuer.token(key=token_forge.new_key())) == "invalid"


async def test_a_key_that_the_token_brings_along_is_not_looked_at(
    verifier: TokenVerifier, issuer: Issuer
) -> None:
    own = token_forge.new_key()
    embedded = {"jwk": token_forge.as_jwk(own, "first"), "jku": "http://127.0.0.1:9/jwks.json"}
    for kid, reason in (("first", "invalid"), ("mine", "unknown_key")):
        forged = jwt.encode(token_forge.claims(), own, algorithm="RS256", headers={**embedded, "kid": kid})
        assert await _reason(verifier, forged) == reason


async def test_changed_claims_are_refused(verifier: TokenVerifier, issuer: Issuer) -> None:
    payload = token_forge.claims(**{"cognito:groups": ["admin"]})

    assert await _reason(verifier, token_forge.with_payload(issuer.token(), payload)) == "invalid"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"}, "other_issuer"),
        ({"iss": None}, "invalid"),
        ({"exp": int(time.time()) - 60}, "expired"),
        ({"exp": None}, "invalid"),
        ({"nbf": int(time.time()) + 600}, "invalid"),
        ({"token_use": "id"}, "not_an_access_token"),
        ({"token_use": None}, "invalid"),
        ({"client_id": "other-client"}, "other_client"),
        ({"client_id": None, "aud": CLIENT}, "invalid"),
        ({"sub": None}, "invalid"),
        ({"sub": EMPTY}, "invalid"),
    ],
)
async def test_each_claim_is_checked(
    verifier: TokenVerifier, issuer: Issuer, changes: dict[str, object], reason: str
) -> None:
    assert await _reason(verifier, issuer.token(**changes)) == reason


@pytest.mark.parametrize("token", ["", "zz%", "a.b.c", "....", "x" * 9000, "é.é.é"])
async def test_what_is_no_token_is_refused_without_asking_for_keys(
    verifier: TokenVerifier, issuer: Issuer, token: str
) -> None:
    assert await _reason(verifier, token) in {"malformed", "too_long"}
    assert issuer.asked == 0


async def test_keys_are_asked_for_once(verifier: TokenVerifier, issuer: Issuer) -> None:
    token = issuer.token()

    await asyncio.gather(*(verifier.verify(token) for _ in range(20)))

    assert issuer.asked == 1


async def test_made_up_key_ids_cause_no_traffic(
    verifier: TokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    await verifier.verify(issuer.token())
    for number in range(20):
        assert (
            await _reason(verifier, issuer.token(kid=f"x{number}", key=issuer.keys["first"])) == "unknown_key"
        )
    assert issuer.asked == 1

    clock.now += 31
    await _reason(verifier, issuer.token(kid="again", key=issuer.keys["first"]))
    assert issuer.asked == 2


async def test_a_new_key_is_found_and_a_withdrawn_one_forgotten(
    verifier: TokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    old = issuer.token()
    await verifier.verify(old)
    issuer.keys = {"second": token_forge.new_key()}
    clock.now += 31

    await verifier.verify(issuer.token(kid="second"))

    assert await _reason(verifier, old) == "unknown_key"
    assert issuer.asked == 2


async def test_known_keys_are_kept_while_the_issuer_is_down(
    verifier: TokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    token = issuer.token()
    await verifier.verify(token)
    issuer.down = True
    clock.now += 3601

    assert (await verifier.verify(token)).subject == "cus_1"
    assert issuer.asked == 2


async def test_without_any_keys_it_is_the_issuer_that_is_down(
    verifier: TokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    issuer.down = True
    token = issuer.token()

    for _ in range(3):
        with pytest.raises(ProviderUnavailable):
            await verifier.verify(token)
    assert issuer.asked == 1

    issuer.down = False
    clock.now += 1
    assert (await verifier.verify(token)).subject == "cus_1"


@pytest.mark.parametrize("emulator", ["aws_endpoint", "moto_endpoint"])
async def test_tokens_of_a_user_pool_verify(emulator: str, request: pytest.FixtureRequest) -> None:
    endpoint = request.getfixturevalue(emulator)
    password = "Correct-Horse-1"
    pool = cognito.ensure_pool(endpoint, password)
    answer = aws_bench.client("cognito-idp", endpoint).initiate_auth(
        ClientId=pool.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": cognito.email_of("warehouse"), "PASSWORD": password},
    )["AuthenticationResult"]
    verifier = TokenVerifier(pool.jwks_url, pool.issuer, pool.client_id)

    identity = await verifier.verify(answer["AccessToken"])

    assert identity.roles == {Role.WAREHOUSE}
    assert await _reason(verifier, answer["IdToken"]) in {"not_an_access_token", "invalid"}
    await verifier.close()
