"""Probes, the contract as OpenAPI, its page, and what the problem types mean."""

import asyncio
from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from api.deps import CallDep
from api.docs import problems
from api.docs_page import PAGE_POLICY, render_page
from api.errors import NotReady, ObjectNotFound, all_problems
from api.guard import guarded_router
from api.policy import allow, anyone
from api.schemas.admin import Health, ProblemType, Readiness
from api.state import Probe
from commerce.domain.errors import CommerceError
from commerce.runtime.temporal import NotReady as NotSetUp

router = guarded_router(tags=["operations"])
PROBE_SECONDS = 2.0


@router.get("/healthz", operation_id="health")
@allow(anyone())
async def health() -> Health:
    """The process is alive; says nothing of what it depends on."""
    return Health(status="ok")


@router.get("/readyz", operation_id="readiness", responses=problems(NotReady))
@allow(anyone())
async def readiness(call: CallDep) -> Readiness:
    """Looks at every part that the gateway needs and names the ones that are down."""
    probes = call.gateway.probes
    found = await asyncio.gather(*(_look(probe) for probe in probes.values()))
    checks = dict(zip(probes, found, strict=True))
    if set(checks.values()) != {"up"}:
        raise NotReady(checks)
    return Readiness(status="ready", checks=checks)


async def _look(probe: Probe) -> str:
    try:
        await asyncio.wait_for(probe(), PROBE_SECONDS)
    except (CommerceError, NotSetUp, OSError, TimeoutError):
        return "down"
    return "up"


@router.get("/openapi.json", include_in_schema=False)
@allow(anyone())
async def openapi(request: Request) -> Response:
    return JSONResponse(_document(request))


@router.get("/docs", include_in_schema=False)
@allow(anyone())
async def docs(request: Request) -> Response:
    """The contract as one page that needs nothing from elsewhere."""
    page = render_page(_document(request))
    return HTMLResponse(page, headers={"Content-Security-Policy": PAGE_POLICY})


@router.get("/problems/{slug}", operation_id="read_problem_type", responses=problems(ObjectNotFound))
@allow(anyone())
async def problem_type(slug: str, call: CallDep) -> ProblemType:
    """What a problem's `type` stands for."""
    for kind in all_problems():
        if kind.slug == slug:
            base = call.gateway.settings.public_url.rstrip("/")
            return ProblemType(type=f"{base}/problems/{slug}", title=kind.title, status=kind.status)
    raise ObjectNotFound


def _document(request: Request) -> dict[str, Any]:
    document: dict[str, Any] = request.app.openapi()
    return document
