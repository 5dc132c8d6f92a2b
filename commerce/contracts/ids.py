"""Ids: opaque, prefixed, sortable by time. Workflow ids are built and read here and nowhere else."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

PRODUCT, CART, ORDER, PAYMENT, REFUND = "prod", "cart", "ord", "pay", "rfd"
SHIPMENT, RESERVATION, NOTIFICATION, EVENT, REQUEST = "shp", "rsv", "ntf", "evt", "req"


def new_id(prefix: str) -> str:
    """A fresh id: 48 bits of milliseconds, then 80 random bits. Never call it in workflow code."""
    value = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    return f"{prefix}_{_encode(value, 26)}"


def derived_id(prefix: str, parent_id: str, sequence: int = 1) -> str:
    """The id of the `sequence`-th thing of a parent: the same at every attempt and in every replay."""
    return f"{prefix}_{parent_id.partition('_')[2]}{_encode(sequence, 2)}"


def issued_at(object_id: str) -> float | None:
    """When `new_id` made it, or the id that it was derived from, in seconds since 1970; None for others."""
    stamp = object_id.partition("_")[2][:26]
    if len(stamp) < 26 or not set(stamp) <= set(_ALPHABET):
        return None
    value = 0
    for digit in stamp:
        value = value * 32 + _ALPHABET.index(digit)
    return (value >> 80) / 1000


def _encode(value: int, width: int) -> str:
    digits = []
    for _ in range(width):
        value, rest = divmod(value, 32)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


def order_workflow_id(order_id: str) -> str:
    return f"order/{order_id}"


def payment_workflow_id(payment_id: str) -> str:
    return f"payment/{payment_id}"


def shipment_workflow_id(shipment_id: str) -> str:
    return f"shipment/{shipment_id}"


def reservation_workflow_id(reservation_id: str) -> str:
    return f"reservation/{reservation_id}"


def notification_workflow_id(notification_id: str) -> str:
    return f"notification/{notification_id}"


def parse_workflow_id(workflow_id: str) -> tuple[str, str]:
    """`("order", "ord_…")` of `order/ord_…`; ValueError for an id that we did not build."""
    kind, slash, business_id = workflow_id.partition("/")
    if not slash or not business_id or kind not in _WORKFLOW_KINDS:
        raise ValueError(f"{workflow_id!r} is not a workflow id of this shop")
    return kind, business_id


_WORKFLOW_KINDS = frozenset({"order", "payment", "shipment", "reservation", "notification"})
