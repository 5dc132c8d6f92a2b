"""Search attributes, declared once: the stack registers them, the worker checks them, workflows set them.

They are never encrypted: ids, states and amounts only, nothing about a person.
"""

from typing import Final

ORDER_STATUS: Final = "OrderStatus"
PAYMENT_STATUS: Final = "PaymentStatus"
CUSTOMER_ID: Final = "CustomerId"
PROVIDER: Final = "Provider"
CURRENCY: Final = "Currency"
ORDER_TOTAL: Final = "OrderTotal"
NEEDS_ATTENTION: Final = "NeedsAttention"

SEARCH_ATTRIBUTES: Final[dict[str, str]] = {
    ORDER_STATUS: "Keyword",
    PAYMENT_STATUS: "Keyword",
    CUSTOMER_ID: "Keyword",
    PROVIDER: "Keyword",
    CURRENCY: "Keyword",
    ORDER_TOTAL: "Int",
    NEEDS_ATTENTION: "Bool",
}
"""Name to Temporal's type; `OrderTotal` counts minor units."""
