"""Public shapes of a checkout."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from api.schemas.addresses import AddressInput
from api.schemas.base import Id, Input, Line, MoneyInput, Output, Word
from api.schemas.orders import OrderView
from commerce.contracts.statuses import Provider

OFFERED_PROVIDERS = frozenset({Provider.STRIPE})


def _offered(provider: str) -> str:
    if provider not in OFFERED_PROVIDERS:
        raise PydanticCustomError("unsupported-payment-provider", "this way to pay is not offered")
    return provider


class PaymentInput(Input):
    """`token` is the payment method as the provider's own library gave it to the browser."""

    provider: Annotated[str, AfterValidator(_offered)] = Field(examples=["stripe"])
    token: str = Field(pattern=r"^[A-Za-z0-9_-]{1,255}$", examples=["pm_card_visa"])


class CheckoutCreate(Input):
    cart_id: Id = Field(examples=["cart_01k0m3v9x2c4q8r7t5w6y1z3ab"])
    email: Line = Field(
        max_length=254, pattern=r"^[^@\s]{1,64}@[^@\s]+\.[^@\s.]+$", examples=["ada@example.org"]
    )
    shipping_address: AddressInput
    billing_address: AddressInput | None = None
    shipping_method: Word = Field(max_length=64, examples=["standard"])
    payment: PaymentInput
    expected_total: MoneyInput | None = None


class ActionView(Output):
    type: str
    url: str | None = None
    client_secret: str | None = None


class CheckoutView(Output):
    """`action` says what the shopper must do at the provider, while `status` is `requires_action`."""

    order_id: str
    status: str = Field(examples=["placed"])
    action: ActionView | None = None
    order: OrderView
