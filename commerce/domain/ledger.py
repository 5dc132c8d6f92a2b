"""What each movement of money posts. Debits are positive; the keys make posting twice harmless.

`clearing:{provider}` is what a provider owes us, `sales` and `refunds` are revenue and what is taken off it,
`tax` is owed to the state, the `memo:` pair shows what is authorised and not yet taken.
"""

from commerce.domain.messaging import LedgerTransaction, Posting
from commerce.domain.orders import Payment, Refund

SALES, REFUNDS, TAX = "sales", "refunds", "tax"


def clearing(provider: str) -> str:
    return f"clearing:{provider}"


def authorised(payment: Payment) -> LedgerTransaction:
    """`payment` as recorded: the memo of its authorised sum."""
    return _transaction(
        f"authorise:{payment.id}", "authorised", payment, _memo(payment.provider, payment.authorised)
    )


def captured(payment: Payment, amount: int, tax: int = 0) -> LedgerTransaction:
    """`amount` was taken; `payment` as recorded, with it in its sum. `tax` is the part that is tax."""
    return _transaction(
        f"capture:{payment.id}:{payment.captured}",
        "captured",
        payment,
        [
            Posting(clearing(payment.provider), amount),
            Posting(SALES, tax - amount),
            Posting(TAX, -tax),
            *_memo(payment.provider, -amount),
        ],
    )


def voided(payment: Payment) -> LedgerTransaction:
    """What was authorised and not taken is free again."""
    left = payment.authorised - payment.captured
    return _transaction(f"void:{payment.id}", "voided", payment, _memo(payment.provider, -left))


def refunded(payment: Payment, refund: Refund, tax: int = 0) -> LedgerTransaction:
    """A refund went through; `tax` is the part of it that is tax, from the stored lines."""
    return _transaction(
        f"refund:{refund.id}", "refunded", payment, _given_back(payment.provider, refund.amount, tax)
    )


def refund_failed(payment: Payment, refund: Refund, tax: int = 0) -> LedgerTransaction:
    """A bank sent a refund back that had gone through: the reverse of `refunded`."""
    return _transaction(
        f"refund_failed:{refund.id}",
        "refund_failed",
        payment,
        _given_back(payment.provider, -refund.amount, -tax),
    )


def _memo(provider: str, amount: int) -> list[Posting]:
    return [Posting(f"memo:authorised:{provider}", amount), Posting("memo:authorisations", -amount)]


def _given_back(provider: str, amount: int, tax: int) -> list[Posting]:
    return [Posting(clearing(provider), -amount), Posting(REFUNDS, amount - tax), Posting(TAX, tax)]


def _transaction(key: str, kind: str, payment: Payment, postings: list[Posting]) -> LedgerTransaction:
    moved = [posting for posting in postings if posting.amount]
    return LedgerTransaction(key, kind, payment.order_id, payment.currency, moved)
