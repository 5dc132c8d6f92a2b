"""From a posted checkout to its first answer: price, store the intent, start the workflow, answer once."""

from dataclasses import dataclass, replace

from api.answers import answer_of, rebuilt
from api.deps import Call, load_cart, ownership_of_order
from api.errors import CartAlreadyOrdered, Fault, IdempotencyInFlight, InvalidRequest, PriceChanged
from api.idempotency import Slot
from api.metrics import CHECKOUTS
from api.schemas.checkouts import CheckoutCreate
from api.services.pricing import priced_cart
from api.views import totals_view
from commerce.contracts.checkout import CheckoutAnswer, CheckoutStatus
from commerce.contracts.ids import ORDER, PAYMENT, new_id
from commerce.domain import errors as domain
from commerce.domain.carts import Cart
from commerce.domain.errors import Conflict, NotFound, ProviderUnavailable
from commerce.domain.messaging import IdempotencyClaim, StoredResponse
from commerce.domain.orders import NewOrder, Order, OrderView, Totals
from commerce.domain.ports import UnitOfWork

OPERATION = "checkout"


@dataclass(frozen=True)
class FirstAnswer:
    """`replayed`: an earlier call with the same key made it."""

    response: StoredResponse
    replayed: bool


async def check_out(call: Call, payload: CheckoutCreate, slot: Slot) -> FirstAnswer:
    """Creates one order per key, whatever happens in between, and answers what was answered first.

    The intent is committed before Temporal is asked; while Temporal is down it waits for the sweeper.
    """
    async with call.gateway.database.reading() as tx:
        known = await slot.find(tx)
    order = None
    if known is None:
        known, order = await _begin(call, payload, slot)
    if order is None:
        order = await _check_owner(call, known.object_id)
    if known.response is not None:
        return FirstAnswer(known.response, replayed=True)
    return await _answer(call, slot, known, order)


async def _begin(call: Call, payload: CheckoutCreate, slot: Slot) -> tuple[IdempotencyClaim, Order | None]:
    """Raises what stands against the order; a twin with the same key that was faster is no such thing."""
    try:
        order = await _intend(call, payload, await load_cart(call, payload.cart_id))
        return await call.transact(lambda tx: _store_intent(tx, slot, order))
    except (CartAlreadyOrdered, domain.CartAlreadyOrdered):
        async with call.gateway.database.reading() as tx:
            twin = await slot.find(tx)
        if twin is None:
            raise
        return twin, None


async def _intend(call: Call, payload: CheckoutCreate, cart: Cart) -> NewOrder:
    """The order as it is promised. Raises the problem of the field that does not fit."""
    if cart.order_id is not None:
        raise CartAlreadyOrdered(cart.order_id)
    shipping_to = payload.shipping_address.address()
    priced = await priced_cart(call, cart, shipping_to.country, payload.shipping_method)
    expected = payload.expected_total
    if expected is not None and (expected.amount, expected.currency) != (
        priced.totals.total,
        priced.totals.currency,
    ):
        raise PriceChanged(
            "Look at the new totals and check out again with a new key.",
            faults=[Fault(f"the total is now {priced.totals.total}", "/expected_total")],
            totals=totals_view(priced.totals).model_dump(mode="json"),
        )
    settings = call.gateway.settings
    return NewOrder(
        id=new_id(ORDER),
        payment_id=new_id(PAYMENT),
        cart_id=cart.id,
        customer_id=cart.customer_id,
        guest_key=cart.guest_key,
        email=payload.email,
        shipping_address=shipping_to,
        billing_address=payload.billing_address.address() if payload.billing_address else None,
        shipping_method=payload.shipping_method,
        lines=priced.lines,
        totals=priced.totals,
        provider=payload.payment.provider,
        payment_token=payload.payment.token,
        livemode=settings.stripe_secret_key.get_secret_value().startswith(("sk_live_", "rk_live_")),
    )


async def _store_intent(tx: UnitOfWork, slot: Slot, order: NewOrder) -> tuple[IdempotencyClaim, Order | None]:
    """Key, order, audit and timeline in one transaction; a concurrent twin gets the first one's claim."""
    claim = await slot.claim(tx, order.id)
    stored = None
    if claim.created:
        held = await tx.stock.held_for_cart(order.cart_id)
        stored = await tx.orders.create(replace(order, reservation_id=held))
        total: dict[str, str | int | bool | None] = {
            "total": order.totals.total,
            "currency": order.totals.currency,
        }
        await tx.audit.add("order.request", "order", order.id, after={**total, "provider": order.provider})
        await tx.timeline.add(order.id, "requested", "The checkout has been received.", total)
    return claim, stored


async def _answer(call: Call, slot: Slot, claim: IdempotencyClaim, order: Order) -> FirstAnswer:
    settings = call.gateway.settings
    wait = settings.answer_within_seconds if claim.created else settings.attach_within_seconds
    try:
        answer = await call.gateway.workflows.checkout(
            order, call.context, update_id=slot.update_id, wait_seconds=wait
        )
    except ProviderUnavailable:
        return await _still_processing(call, order)
    except (NotFound, Conflict):
        answer = await rebuilt(call, order.id)
    if answer is None and not claim.created:
        raise IdempotencyInFlight
    if answer is None or answer.status is CheckoutStatus.PROCESSING:
        return await _still_processing(call, order)
    return FirstAnswer(await _settle(call, slot, answer), replayed=not claim.created)


async def _settle(call: Call, slot: Slot, answer: CheckoutAnswer) -> StoredResponse:
    """Stores the answer for all repeats; the first one stored is what everybody gets."""
    async with call.gateway.database.reading() as tx:
        view = await tx.orders.view(answer.order_id)
    totals = await _totals_now(call, view) if answer.status is CheckoutStatus.PRICE_CHANGED else None
    response = answer_of(answer, view, call, totals)
    CHECKOUTS.labels(answer.status.value).inc()
    return await call.transact(lambda tx: slot.store(tx, response))


async def _totals_now(call: Call, view: OrderView) -> Totals:
    """What the same cart costs now; the promised totals where it can no longer be bought."""
    order = view.order
    try:
        cart = await call.gateway.carts.get(order.cart_id)
        priced = await priced_cart(call, cart, order.shipping_address.country, order.shipping_method)
    except (NotFound, InvalidRequest):
        return order.totals
    return priced.totals


async def _still_processing(call: Call, order: Order) -> FirstAnswer:
    """Not stored: a repeat attaches to the running workflow and gets the real answer."""
    async with call.gateway.database.reading() as tx:
        view = await tx.orders.view(order.id)
    CHECKOUTS.labels(CheckoutStatus.PROCESSING.value).inc()
    answer = CheckoutAnswer(order.id, CheckoutStatus.PROCESSING)
    return FirstAnswer(answer_of(answer, view, call), replayed=False)


async def _check_owner(call: Call, order_id: str) -> Order:
    """The key belongs to the caller, and so must its order."""
    async with call.gateway.database.reading() as tx:
        order = await tx.orders.get(order_id)
    call.access.require(ownership_of_order(order))
    return order
