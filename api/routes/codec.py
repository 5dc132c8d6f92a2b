"""Temporal's codec protocol, so that support reads the Temporal UI in plain words."""

import time

from fastapi import Request, Response
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from starlette.responses import HTMLResponse, JSONResponse
from temporalio.api.common.v1 import Payloads

from api.codec_page import PAGE_POLICY, render_page
from api.deps import CallDep
from api.docs import problems
from api.errors import AuthenticationRequired, Fault, Forbidden, InvalidRequest
from api.guard import guarded_router
from api.policy import Rule, allow, anyone, staff
from api.schemas.admin import CodecPayloads
from commerce.domain.identity import Role

router = guarded_router(prefix="/codec", tags=["codec"])
COOKIE = "codec_token"
_READERS = staff(Role.SUPPORT, Role.ADMIN)
_REFUSALS = (AuthenticationRequired, Forbidden)


@router.post("/decode", operation_id="decode_payloads", responses=problems(*_REFUSALS, InvalidRequest))
@allow(Rule(_READERS.door, _READERS.roles, cookie=COOKIE))
async def decode_payloads(payload: CodecPayloads, call: CallDep) -> Response:
    """Opens payloads of histories. The Temporal UI sends the access token, or the cookie of a sign-in."""
    try:
        sealed = ParseDict(payload.model_dump(), Payloads())
        opened = await call.gateway.codec.decode(sealed.payloads)
    except (ParseError, ValueError) as error:
        raise InvalidRequest(faults=[Fault("not payloads that this key ring opens", "/payloads")]) from error
    return JSONResponse(MessageToDict(Payloads(payloads=opened)))


@router.get("/sign-in", include_in_schema=False)
@allow(anyone())
async def show_sign_in(call: CallDep) -> Response:
    """The page on which support opens a session; it knows nothing of its reader."""
    settings = call.gateway.settings
    page = render_page(settings.temporal_ui_url, f"{settings.public_url.rstrip('/')}/codec")
    return HTMLResponse(page, headers={"Content-Security-Policy": PAGE_POLICY})


@router.post("/session", status_code=204, operation_id="open_codec_session", responses=problems(*_REFUSALS))
@allow(_READERS)
async def open_codec_session(request: Request, call: CallDep, response: Response) -> None:
    """Keeps the caller's access token in a cookie of this address alone, for a UI that sends no header."""
    token = request.headers["authorization"].partition(" ")[2].strip()
    response.set_cookie(
        COOKIE,
        token,
        max_age=max(1, int(call.access.person.expires_at.timestamp() - time.time())),
        path="/codec",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
