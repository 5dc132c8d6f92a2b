"""Carts: what a shopper means to buy."""

from fastapi import Request, Response

from api import etags
from api.deps import CallDep, OwnedCart, SkuPath
from api.docs import problems
from api.errors import (
    AuthenticationRequired,
    CartAlreadyOrdered,
    InvalidQuantity,
    InvalidRequest,
    ObjectNotFound,
    PreconditionFailed,
    UnknownSku,
    UnsupportedCurrency,
)
from api.guard import guarded_router
from api.policy import Owned, allow, anyone, owner_of, signed_in
from api.schemas.carts import CartCreate, CartItemPut, CartView, NewCartView
from api.services import carts

router = guarded_router(prefix="/v1/carts", tags=["carts"])
_OWNER = owner_of(Owned.CART)
_REFUSALS = (AuthenticationRequired, ObjectNotFound)
_WRITING = (*_REFUSALS, CartAlreadyOrdered, PreconditionFailed)


@router.post(
    "",
    status_code=201,
    operation_id="create_cart",
    responses=problems(UnsupportedCurrency, InvalidRequest),
)
@allow(anyone(identify=True))
async def create_cart(payload: CartCreate, call: CallDep, response: Response) -> NewCartView:
    """Always a new one. A guest gets its `cart_token` here and never again."""
    cart = await carts.create(call, payload.currency)
    etags.set_etag(response, cart.version)
    response.headers["Location"] = f"/v1/carts/{cart.id}"
    return cart


@router.get("/current", operation_id="read_current_cart", responses=problems(*_REFUSALS))
@allow(signed_in())
async def read_current_cart(call: CallDep, response: Response) -> CartView:
    """The signed-in person's newest open cart."""
    cart = await carts.current(call)
    etags.set_etag(response, cart.version)
    return cart


@router.get("/{cart_id}", operation_id="read_cart", responses=problems(*_REFUSALS))
@allow(_OWNER)
async def read_cart(cart: OwnedCart, call: CallDep, response: Response) -> CartView:
    etags.set_etag(response, cart.version)
    return await carts.view(call, cart)


@router.put(
    "/{cart_id}/items/{sku}",
    operation_id="put_cart_item",
    responses=problems(*_WRITING, UnknownSku, InvalidQuantity, InvalidRequest),
)
@allow(_OWNER)
async def put_cart_item(
    cart: OwnedCart,
    sku: SkuPath,
    payload: CartItemPut,
    call: CallDep,
    *,
    request: Request,
    response: Response,
) -> CartView:
    """Sets the quantity of a SKU. With `If-Match` only if nobody wrote since."""
    etags.check_version(request, cart.version)
    changed = await carts.put_item(call, cart, sku, payload.quantity, strict="if-match" in request.headers)
    etags.set_etag(response, changed.version)
    return changed


@router.delete("/{cart_id}/items/{sku}", operation_id="delete_cart_item", responses=problems(*_WRITING))
@allow(_OWNER)
async def delete_cart_item(
    cart: OwnedCart, sku: SkuPath, call: CallDep, request: Request, response: Response
) -> CartView:
    """Safe to repeat."""
    etags.check_version(request, cart.version)
    changed = await carts.remove_item(call, cart, sku, strict="if-match" in request.headers)
    etags.set_etag(response, changed.version)
    return changed
