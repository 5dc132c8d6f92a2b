"""From the domain's records to the public shapes."""

from collections.abc import Mapping

from api.schemas.admin import AuditView, InvariantView
from api.schemas.base import Money
from api.schemas.carts import ReservationView, TotalsView
from api.schemas.orders import (
    AttentionItem,
    OrderLineView,
    OrderView,
    PaymentView,
    RefundLineView,
    RefundView,
    ShipmentLineView,
    ShipmentView,
    TimelineItem,
)
from api.schemas.products import MovementView, ProductView, StockView, VariantView, WarehouseView
from api.situation import describe
from commerce.contracts.stock import ReservationAnswer
from commerce.domain import orders
from commerce.domain.catalogue import Price, Product, Variant
from commerce.domain.messaging import AuditEntry, InvariantResult
from commerce.domain.stock import Movement, StockLevel


def totals_view(totals: orders.Totals) -> TotalsView:
    code = totals.currency
    return TotalsView(
        subtotal=Money.of(totals.subtotal, code),
        discount=Money.of(totals.discount, code),
        shipping=Money.of(totals.shipping, code),
        tax=Money.of(totals.tax, code),
        total=Money.of(totals.total, code),
    )


def order_view(view: orders.OrderView) -> OrderView:
    order, code = view.order, view.order.totals.currency
    return OrderView(
        id=order.id,
        number=order.number,
        status=order.status,
        order_status=order.order_state,
        payment_status=order.payment_state,
        fulfilment_status=order.fulfilment_state,
        return_status=order.return_state,
        situation=describe(view),
        livemode=order.livemode,
        totals=totals_view(order.totals),
        shipping_method=order.shipping_method,
        lines=[_line(line, code) for line in view.lines],
        payments=[_payment(payment) for payment in view.payments],
        shipments=[_shipment(shipment) for shipment in view.shipments],
        refunds=[refund_view(refund) for refund in view.refunds],
        cancel_reason=order.cancel_reason,
        created_at=order.created_at,
        placed_at=order.placed_at,
        delivered_at=order.delivered_at,
        version=order.version,
    )


def _line(line: orders.OrderLine, code: str) -> OrderLineView:
    return OrderLineView(
        line_no=line.line_no,
        sku=line.sku,
        product_id=line.product_id,
        title=line.title,
        quantity=line.quantity,
        unit_price=Money.of(line.unit_price, code),
        subtotal=Money.of(line.subtotal, code),
        discount=Money.of(line.discount, code),
        tax=Money.of(line.tax, code),
        total=Money.of(line.total, code),
        tax_rate=line.tax_rate,
    )


def _payment(payment: orders.Payment) -> PaymentView:
    return PaymentView(
        id=payment.id,
        provider=payment.provider,
        status=payment.status,
        amount=Money.of(payment.amount, payment.currency),
        authorised=Money.of(payment.authorised, payment.currency),
        captured=Money.of(payment.captured, payment.currency),
        refunded=Money.of(payment.refunded, payment.currency),
        decline_code=payment.decline_code,
        created_at=payment.created_at,
    )


def _shipment(shipment: orders.Shipment) -> ShipmentView:
    return ShipmentView(
        id=shipment.id,
        status=shipment.status,
        carrier=shipment.carrier,
        tracking_code=shipment.tracking_code,
        tracking_url=shipment.tracking_url,
        lines=[
            ShipmentLineView(line_no=line.line_no, sku=line.sku, quantity=line.quantity)
            for line in shipment.lines
        ],
        handed_over_at=shipment.handed_over_at,
        delivered_at=shipment.delivered_at,
    )


def refund_view(refund: orders.Refund) -> RefundView:
    return RefundView(
        id=refund.id,
        order_id=refund.order_id,
        payment_id=refund.payment_id,
        status=refund.status,
        amount=Money.of(refund.amount, refund.currency),
        reason=refund.reason,
        lines=[
            RefundLineView(
                line_no=line.line_no,
                quantity=line.quantity,
                amount=Money.of(line.amount, refund.currency),
            )
            for line in refund.lines
        ],
        failure_code=refund.failure_code,
        created_at=refund.created_at,
    )


def timeline_item(entry: orders.TimelineEntry) -> TimelineItem:
    return TimelineItem(seq=entry.seq, kind=entry.kind, text=entry.text, at=entry.at, data=dict(entry.data))


def attention_item(order: orders.Order) -> AttentionItem:
    return AttentionItem(
        order_id=order.id,
        number=order.number,
        status=order.status,
        reason=order.needs_attention or "",
        created_at=order.created_at,
        version=order.version,
    )


def reservation_view(answer: ReservationAnswer) -> ReservationView:
    return ReservationView.model_validate(
        {"id": answer.reservation_id, "status": answer.status, "expires_at": answer.expires_at}
    )


def product_view(product: Product, levels: Mapping[str, StockLevel], currency: str) -> ProductView:
    return ProductView(
        id=product.id,
        slug=product.slug,
        title=product.title,
        description=product.description,
        categories=product.categories,
        tags=product.tags,
        variants=[_variant(variant, levels.get(variant.sku), currency) for variant in product.variants],
        archived=product.archived,
        version=product.version,
        created_at=product.created_at,
        updated_at=product.updated_at,
    )


def _variant(variant: Variant, level: StockLevel | None, currency: str) -> VariantView:
    price = next((price for price in variant.prices if price.currency == currency), None)
    return VariantView(
        sku=variant.sku,
        options=variant.options,
        price=Money.of(price.amount, price.currency) if price else None,
        compare_at_price=_compare_at(price),
        prices=[Money.of(each.amount, each.currency) for each in variant.prices],
        tax_class=variant.tax_class,
        available=max(level.available, 0) if level else 0,
    )


def _compare_at(price: Price | None) -> Money | None:
    if price is None or price.compare_at is None:
        return None
    return Money.of(price.compare_at, price.currency)


def stock_view(level: StockLevel) -> StockView:
    return StockView(
        sku=level.sku,
        on_hand=level.on_hand,
        allocated=level.allocated,
        held=level.held,
        available=level.available,
        per_warehouse=[
            WarehouseView(warehouse=each.warehouse, on_hand=each.on_hand, allocated=each.allocated)
            for each in level.per_warehouse
        ],
    )


def movement_view(movement: Movement) -> MovementView:
    return MovementView.model_validate(movement, from_attributes=True)


def audit_view(entry: AuditEntry) -> AuditView:
    return AuditView.model_validate(entry, from_attributes=True)


def invariant_view(result: InvariantResult) -> InvariantView:
    return InvariantView.model_validate(result, from_attributes=True)
