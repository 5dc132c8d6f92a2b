"""Search attributes as workflows set them: once per status, so that each upsert is news."""

from temporalio import workflow
from temporalio.common import SearchAttributeKey

with workflow.unsafe.imports_passed_through():
    from commerce.contracts import search
    from commerce.contracts.checkout import OrderProgress

ORDER_STATUS = SearchAttributeKey.for_keyword(search.ORDER_STATUS)
PAYMENT_STATUS = SearchAttributeKey.for_keyword(search.PAYMENT_STATUS)
NEEDS_ATTENTION = SearchAttributeKey.for_bool(search.NEEDS_ATTENTION)


def show_progress(progress: OrderProgress) -> None:
    workflow.upsert_search_attributes(
        [
            ORDER_STATUS.value_set(progress.status.value),
            PAYMENT_STATUS.value_set(progress.payment.value),
        ]
    )


def show_attention(needed: bool) -> None:
    workflow.upsert_search_attributes([NEEDS_ATTENTION.value_set(needed)])
