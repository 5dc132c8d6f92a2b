"""The catalogue."""

from typing import Annotated

from fastapi import Query, Request, Response

from api import etags
from api.deps import CallDep, ProductId
from api.docs import problems
from api.errors import (
    AuthenticationRequired,
    CursorMalformed,
    DuplicateSku,
    Forbidden,
    InvalidRequest,
    ObjectNotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from api.guard import guarded_router
from api.policy import allow, anyone, staff
from api.schemas.base import Currency, Page
from api.schemas.products import ProductFilter, ProductPatch, ProductView, ProductWrite
from api.services import catalogue
from commerce.domain.identity import Role

router = guarded_router(prefix="/v1/products", tags=["products"])
_WRITERS = staff(Role.MERCHANDISER, Role.ADMIN)
_REFUSALS = (AuthenticationRequired, Forbidden, InvalidRequest)
_VERSIONED = (*_REFUSALS, ObjectNotFound, PreconditionFailed, PreconditionRequired, DuplicateSku)

CurrencyQuery = Annotated[Currency, Query(description="In which prices are shown.")]


@router.get("", operation_id="list_products", responses=problems(InvalidRequest, CursorMalformed))
@allow(anyone())
async def list_products(call: CallDep, wanted: Annotated[ProductFilter, Query()]) -> Page[ProductView]:
    """Products for sale, a page at a time; `q` looks in titles, descriptions and SKUs."""
    items, cursor = await catalogue.list_products(call, wanted)
    return Page(items=items, next_cursor=cursor)


@router.get("/{product_id}", operation_id="read_product", responses=problems(ObjectNotFound))
@allow(anyone())
async def read_product(
    product_id: ProductId,
    call: CallDep,
    request: Request,
    response: Response,
    currency: CurrencyQuery = "GBP",
) -> ProductView:
    """By id or slug."""
    product = await catalogue.read_product(call, product_id, currency)
    etags.set_etag(response, product.version)
    return product


@router.post("", status_code=201, operation_id="create_product", responses=problems(*_REFUSALS, DuplicateSku))
@allow(_WRITERS)
async def create_product(payload: ProductWrite, call: CallDep, response: Response) -> ProductView:
    product = await catalogue.create_product(call, payload)
    etags.set_etag(response, product.version)
    response.headers["Location"] = f"/v1/products/{product.id}"
    return await catalogue.read_product(call, product.id, payload.variants[0].prices[0].currency)


@router.put("/{product_id}", operation_id="replace_product", responses=problems(*_VERSIONED))
@allow(_WRITERS)
async def replace_product(
    product_id: ProductId, payload: ProductWrite, call: CallDep, request: Request, response: Response
) -> ProductView:
    """Replaces all that is writable; needs `If-Match`."""
    version = etags.expected_version(request)
    product = await catalogue.replace_product(call, product_id, payload, version)
    etags.set_etag(response, product.version)
    return await catalogue.read_product(call, product.id, payload.variants[0].prices[0].currency)


@router.patch("/{product_id}", operation_id="patch_product", responses=problems(*_VERSIONED))
@allow(_WRITERS)
async def patch_product(
    product_id: ProductId, patch: ProductPatch, call: CallDep, request: Request, response: Response
) -> ProductView:
    """JSON merge patch; needs `If-Match`."""
    version = etags.expected_version(request)
    product = await catalogue.patch_product(call, product_id, patch, version)
    etags.set_etag(response, product.version)
    return await catalogue.read_product(call, product.id, product.variants[0].prices[0].currency)


@router.delete(
    "/{product_id}",
    status_code=204,
    operation_id="archive_product",
    responses=problems(AuthenticationRequired, Forbidden, ObjectNotFound, PreconditionFailed),
)
@allow(_WRITERS)
async def archive_product(product_id: ProductId, call: CallDep, request: Request) -> None:
    """Takes it off sale; orders that name it keep it. `If-Match` is looked at if sent."""
    await catalogue.archive_product(call, product_id, etags.optional_version(request))
