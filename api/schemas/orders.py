"""Public shapes of orders, their timeline, cancellations and refunds."""

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.base import Input, Line, Moment, Money, MoneyInput, Output, Prose, Quantity, Word
from api.schemas.carts import TotalsView
from commerce.contracts.statuses import (
    FulfilmentState,
    OrderState,
    OrderStatus,
    PaymentState,
    PaymentStatus,
    RefundStatus,
    ReturnState,
    ShipmentStatus,
)


class OrderLineView(Output):
    line_no: int
    sku: str
    product_id: str
    title: str
    quantity: int
    unit_price: Money
    subtotal: Money
    discount: Money
    tax: Money
    total: Money
    tax_rate: int = Field(description="Basis points.")


class PaymentView(Output):
    id: str
    provider: str
    status: PaymentStatus
    amount: Money
    authorised: Money
    captured: Money
    refunded: Money
    decline_code: str | None
    created_at: Moment


class ShipmentLineView(Output):
    line_no: int
    sku: str
    quantity: int


class ShipmentView(Output):
    id: str
    status: ShipmentStatus
    carrier: str
    tracking_code: str | None
    tracking_url: str | None
    lines: list[ShipmentLineView]
    handed_over_at: Moment | None
    delivered_at: Moment | None


class RefundLineView(Output):
    line_no: int
    quantity: int
    amount: Money


class RefundView(Output):
    id: str
    order_id: str
    payment_id: str
    status: RefundStatus
    amount: Money
    reason: str
    lines: list[RefundLineView]
    failure_code: str | None
    created_at: Moment


class SituationView(Output):
    """Where the order stands, in plain words."""

    doing: str
    waiting_for: str | None
    since: Moment
    next: str


class OrderView(Output):
    """`status` is the shopper's word; the four axes below it are what it is derived from."""

    id: str
    number: str
    status: OrderStatus
    order_status: OrderState
    payment_status: PaymentState
    fulfilment_status: FulfilmentState
    return_status: ReturnState
    situation: SituationView
    livemode: bool
    totals: TotalsView
    shipping_method: str
    lines: list[OrderLineView]
    payments: list[PaymentView]
    shipments: list[ShipmentView]
    refunds: list[RefundView]
    returns: list[dict[str, str]] = Field(default_factory=list)
    cancel_reason: str | None
    created_at: Moment
    placed_at: Moment | None
    delivered_at: Moment | None
    version: int


class TimelineItem(Output):
    """`seq` grows over all entries, and is the id of the server-sent event."""

    seq: int
    kind: str
    text: str
    at: Moment
    data: dict[str, str | int | bool | None]


class Timeline(Output):
    items: list[TimelineItem]
    next_cursor: str | None = None


class OrderCancel(Input):
    reason: Prose = Field("", max_length=500)


class RefundLineInput(Input):
    line_no: int = Field(strict=True, ge=1, le=100_000)
    quantity: Quantity


class RefundCreate(Input):
    """Pieces of lines, or an amount as goodwill, or neither for all that is left."""

    reason: Word = Field(max_length=500, examples=["Two pieces arrived broken"])
    lines: list[RefundLineInput] | None = Field(None, min_length=1, max_length=1000)
    amount: MoneyInput | None = None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> "RefundCreate":
        if self.lines is not None and self.amount is not None:
            raise PydanticCustomError("invalid-refund", "send lines or an amount, not both")
        numbers = [line.line_no for line in self.lines or []]
        if len(set(numbers)) != len(numbers):
            raise PydanticCustomError("invalid-refund", "each line once")
        return self


class AttentionItem(Output):
    order_id: str
    number: str
    status: OrderStatus
    reason: str
    created_at: Moment
    version: int


class CompensationDecision(Input):
    """`mark_done` says that it was done by hand, `reference` where the proof is."""

    resolution: str = Field(pattern="^(retry|mark_done|write_off)$", examples=["retry"])
    reference: Line = Field("", max_length=200)

    @model_validator(mode="after")
    def _proof(self) -> "CompensationDecision":
        if self.resolution == "mark_done" and not self.reference:
            raise PydanticCustomError("reference-missing", "mark_done needs a reference")
        return self
