from datetime import UTC, datetime

import pytest

from api.errors import AuthenticationRequired, Forbidden, ObjectNotFound
from api.policy import Access, Owned, Ownership, Rule, anyone, cart_key, owner_of, signed_in, staff
from commerce.domain.identity import Identity, Role

END = datetime(2030, 1, 1, tzinfo=UTC)
ADA = Identity("ada", frozenset({Role.CUSTOMER}), END)
SAM = Identity("sam", frozenset({Role.SUPPORT}), END)
OF_ADA = Ownership("order", "ord_1", "ada", None, "cart_1")
OF_GUEST = Ownership("order", "ord_2", None, cart_key("secret"), "cart_2")
READERS = owner_of(Owned.ORDER, Role.SUPPORT)


def test_a_rule_lets_nobody_in_unless_it_says_so() -> None:
    for rule in (signed_in(), staff(Role.ADMIN), READERS):
        with pytest.raises(AuthenticationRequired):
            rule.admit(None, None)
    anyone().admit(None, None)


def test_a_cart_token_opens_owner_routes_only() -> None:
    READERS.admit(None, cart_key("secret"))
    for rule in (signed_in(), staff(Role.ADMIN)):
        with pytest.raises(AuthenticationRequired):
            rule.admit(None, cart_key("secret"))


def test_the_wrong_role_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        staff(Role.ADMIN, Role.FINANCE).admit(SAM, None)
    staff(Role.SUPPORT).admit(SAM, None)


def _require(rule: Rule, identity: Identity | None, token: str | None, of: Ownership) -> Access:
    access = Access(rule, identity, cart_key(token) if token else None)
    access.require(of)
    return access


def test_owners_act_as_themselves() -> None:
    assert _require(READERS, ADA, None, OF_ADA).actor == "customer:ada"
    assert _require(READERS, None, "secret", OF_GUEST).actor == "guest:cart_2"


def test_staff_act_as_staff_on_behalf_of_the_owner() -> None:
    access = _require(READERS, SAM, None, OF_GUEST)
    assert (access.actor, access.on_behalf_of) == ("support:sam", "guest:cart_2")


@pytest.mark.parametrize(
    ("identity", "token", "of"),
    [(ADA, None, OF_GUEST), (ADA, "wrong", OF_GUEST), (None, "secret", OF_ADA), (None, "wrong", OF_GUEST)],
)
def test_anybody_else_finds_nothing(identity: Identity | None, token: str | None, of: Ownership) -> None:
    with pytest.raises(ObjectNotFound):
        _require(READERS, identity, token, of)


def test_on_a_staff_route_owning_the_object_changes_nothing() -> None:
    own = Ownership("order", "ord_3", "sam", None, "cart_3")
    assert _require(staff(Role.SUPPORT), SAM, None, own).actor == "support:sam"


def test_keys_are_bound_to_the_person_or_the_secret() -> None:
    assert Access(READERS, ADA, None).scope() == "person:ada"
    guest = Access(READERS, None, cart_key("secret")).scope()
    assert guest == f"guest:{cart_key('secret')}"
    assert "secret" not in guest
