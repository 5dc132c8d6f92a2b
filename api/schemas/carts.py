"""Public shapes of carts and reservations."""

from pydantic import Field

from api.schemas.base import Currency, Id, Input, Moment, Money, Output, Quantity
from commerce.contracts.statuses import ReservationStatus


class CartCreate(Input):
    currency: Currency


class CartItemPut(Input):
    quantity: Quantity


class CartLine(Output):
    """`available` is what the shop could hold right now; `for_sale` false keeps the line out of the total."""

    line_no: int
    sku: str = Field(examples=["85123A"])
    product_id: str | None
    title: str | None
    quantity: int
    unit_price: Money | None
    total: Money | None
    available: int
    in_stock: bool
    for_sale: bool


class TotalsView(Output):
    """`total = subtotal - discount + shipping`; `tax` is contained in the prices."""

    subtotal: Money
    discount: Money
    shipping: Money
    tax: Money
    total: Money


class PriceStep(Output):
    """One step of how the total came about, in words."""

    text: str = Field(examples=["6 × WHITE HANGING HEART T-LIGHT HOLDER at 2.55 GBP"])
    amount: Money


class CartView(Output):
    """Shipping is priced at checkout, when the address is known; here it counts as nothing."""

    id: str = Field(examples=["cart_01k0m3v9x2c4q8r7t5w6y1z3ab"])
    currency: str
    lines: list[CartLine]
    totals: TotalsView
    explanation: list[PriceStep]
    expires_at: Moment
    order_id: str | None = None
    version: int


class NewCartView(CartView):
    """`cart_token` is a guest's key to this cart and to the order that comes of it; it is shown only now."""

    cart_token: str | None = None


class ReservationCreate(Input):
    cart_id: Id
    minutes: int = Field(strict=True, ge=1, le=60, examples=[15])


class ReservationExtend(Input):
    minutes: int = Field(strict=True, ge=1, le=60, examples=[10])


class ReservationView(Output):
    id: str
    status: ReservationStatus
    expires_at: Moment | None
