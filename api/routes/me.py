"""The signed-in person."""

from api.deps import CallDep
from api.docs import problems
from api.errors import AuthenticationRequired, InvalidToken
from api.guard import guarded_router
from api.policy import allow, signed_in
from api.schemas.admin import Me

router = guarded_router(prefix="/v1/me", tags=["people"])


@router.get("", operation_id="read_me", responses=problems(AuthenticationRequired, InvalidToken))
@allow(signed_in())
async def read_me(call: CallDep) -> Me:
    """Who the access token says you are."""
    person = call.access.person
    return Me(subject=person.subject, roles=sorted(person.roles), email=person.email)
