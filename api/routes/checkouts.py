"""Checkout: a cart becomes an order."""

from fastapi import Depends, Response

from api import errors
from api.cards import refuse_card_numbers
from api.deps import CallDep
from api.docs import problems
from api.guard import guarded_router
from api.idempotency import IdempotencyKey, replay, slot
from api.policy import Owned, allow, owner_of
from api.schemas.checkouts import CheckoutCreate, CheckoutView
from api.services import checkout

router = guarded_router(prefix="/v1/checkouts", tags=["checkouts"])


@router.post(
    "",
    status_code=201,
    response_model=CheckoutView,
    operation_id="create_checkout",
    dependencies=[Depends(refuse_card_numbers)],
    responses={
        202: {"model": CheckoutView, "description": "Still processing; repeat with the same key."},
        **problems(
            errors.IdempotencyKeyMissing,
            errors.IdempotencyKeyMalformed,
            errors.AuthenticationRequired,
            errors.PaymentDeclined,
            errors.ObjectNotFound,
            errors.OutOfStock,
            errors.PriceChanged,
            errors.CartAlreadyOrdered,
            errors.CheckoutCancelled,
            errors.IdempotencyInFlight,
            errors.EmptyCart,
            errors.UnknownSku,
            errors.UnknownShippingMethod,
            errors.UnsupportedCurrency,
            errors.UnsupportedPaymentProvider,
            errors.CardNumberRefused,
            errors.IdempotencyKeyReused,
            errors.InvalidRequest,
        ),
    },
)
@allow(owner_of(Owned.CART_IN_BODY))
async def create_checkout(payload: CheckoutCreate, call: CallDep, key: IdempotencyKey) -> Response:
    """One order for one key, however often it is sent. The first answer is what every repeat gets."""
    place = slot(call.access.scope(), checkout.OPERATION, key, payload.model_dump(mode="json"))
    first = await checkout.check_out(call, payload, place)
    response = replay(first.response, replayed=first.replayed)
    if first.response.status < 400:
        response.headers["Location"] = f"/v1/orders/{first.response.body['order_id']}"
    return response
