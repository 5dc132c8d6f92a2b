"""Orders: reading, following, cancelling, giving money back."""

from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import Depends, Header, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api import errors, etags
from api.cards import refuse_card_numbers
from api.deps import CallDep, OrderId, OwnedOrder
from api.docs import problems
from api.guard import guarded_router
from api.idempotency import IdempotencyKey, replay, slot
from api.policy import Owned, allow, owner_of, signed_in, staff
from api.routes.paging import CursorQuery, FilterQuery, LimitQuery
from api.schemas.base import Page
from api.schemas.orders import OrderCancel, OrderView, RefundCreate, RefundView, Timeline
from api.services import cancel, refunds
from api.services.stream import follow
from api.services.timeline import timeline_page
from api.views import order_view
from commerce.contracts.statuses import OrderStatus
from commerce.domain.identity import Role

router = guarded_router(prefix="/v1/orders", tags=["orders"])
_READERS = owner_of(Owned.ORDER, Role.SUPPORT, Role.ADMIN)
_REFUNDERS = staff(Role.SUPPORT, Role.FINANCE, Role.ADMIN)
_REFUSALS = (errors.AuthenticationRequired, errors.ObjectNotFound)
_KEYED = (errors.IdempotencyKeyMissing, errors.IdempotencyKeyMalformed, errors.IdempotencyKeyReused)


@router.get("", operation_id="list_orders", responses=problems(errors.AuthenticationRequired))
@allow(signed_in(Role.SUPPORT, Role.ADMIN))
async def list_orders(
    call: CallDep,
    status: OrderStatus | None = None,
    customer_id: FilterQuery = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 20,
) -> Page[OrderView]:
    """The caller's own, newest first; support sees everybody's and may ask for one customer's."""
    whose = customer_id if call.access.sees_everything else call.access.person.subject
    async with call.gateway.database.reading() as tx:
        views, following = await tx.orders.list_views(
            customer_id=whose, status=status, cursor=cursor, limit=limit
        )
    return Page(items=[order_view(view) for view in views], next_cursor=following)


@router.get("/{order_id}", operation_id="read_order", responses=problems(*_REFUSALS))
@allow(_READERS)
async def read_order(order: OwnedOrder, call: CallDep, response: Response) -> OrderView:
    async with call.gateway.database.reading() as tx:
        view = await tx.orders.view(order.id)
    etags.set_etag(response, view.order.version)
    return order_view(view)


@router.get("/{order_id}/timeline", operation_id="read_timeline", responses=problems(*_REFUSALS))
@allow(_READERS)
async def read_timeline(
    order: OwnedOrder, call: CallDep, cursor: CursorQuery = None, limit: LimitQuery = 100
) -> Timeline:
    """What happened to the order, oldest first."""
    return await timeline_page(call, order.id, cursor, limit)


@router.get(
    "/{order_id}/events",
    operation_id="follow_order",
    response_class=EventSourceResponse,
    responses=problems(*_REFUSALS),
)
@allow(_READERS)
async def follow_order(
    order: OwnedOrder, call: CallDep, last_event_id: Annotated[str | None, Header()] = None
) -> AsyncIterable[ServerSentEvent]:
    """The timeline as server-sent events, live; `Last-Event-ID` goes on where a stream broke off.

    Ends with an event `end` once nothing more will happen by itself, or with the access token.
    """
    async for event in follow(call, order.id, last_event_id):
        yield event


@router.post(
    "/{order_id}/cancel",
    response_model=OrderView,
    operation_id="cancel_order",
    dependencies=[Depends(refuse_card_numbers)],
    responses={
        202: {"model": OrderView, "description": "Cancelled; the money is on its way back."},
        **problems(*_REFUSALS, *_KEYED, errors.OrderNotCancellable, errors.Unavailable),
    },
)
@allow(_READERS)
async def cancel_order(
    order: OwnedOrder, call: CallDep, key: IdempotencyKey, payload: OrderCancel | None = None
) -> Response:
    """Possible until a parcel has been handed over; a cancelled order answers the same again."""
    reason = payload.reason if payload else ""
    place = slot(call.access.scope(), cancel.OPERATION, key, {"order_id": order.id, "reason": reason})
    first = await cancel.cancel_order(call, order, reason, place)
    return replay(first.response, replayed=first.replayed)


@router.post(
    "/{order_id}/refunds",
    status_code=201,
    response_model=RefundView,
    operation_id="create_refund",
    dependencies=[Depends(refuse_card_numbers)],
    responses={
        202: {"model": RefundView, "description": "Stored; the provider is told as soon as it can be."},
        **problems(
            *_REFUSALS,
            *_KEYED,
            errors.Forbidden,
            errors.RefundExceedsCaptured,
            errors.RefundRefused,
            errors.InvalidRefund,
            errors.InvalidRequest,
        ),
    },
)
@allow(_REFUNDERS)
async def create_refund(
    order_id: OrderId, payload: RefundCreate, call: CallDep, key: IdempotencyKey
) -> Response:
    """Pieces of lines, an amount, or all that is left of what was taken."""
    fingerprint = {"order_id": order_id, **payload.model_dump(mode="json")}
    place = slot(call.access.scope(), refunds.OPERATION, key, fingerprint)
    first = await refunds.refund_order(call, order_id, payload, place)
    return replay(first.response, replayed=first.replayed)
