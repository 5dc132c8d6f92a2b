"""The double-entry ledger: append only."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, Named, Table, TypedColumns

from commerce.persistence.tables import metadata


class LedgerTransactionColumns(TypedColumns):
    id: Named[int] = Column(BigInteger)
    key: Named[str]
    kind: Named[str]
    order_id: Named[str]
    currency: Named[str]
    at: Named[datetime] = Column(DateTime(timezone=True))
    actor: Named[str]
    request_id: Named[str]


class LedgerPostingColumns(TypedColumns):
    transaction_id: Named[int] = Column(BigInteger)
    position: Named[int]
    account: Named[str]
    amount: Named[int] = Column(BigInteger)


ledger_transactions = Table("ledger_transactions", metadata, LedgerTransactionColumns)
ledger_postings = Table("ledger_postings", metadata, LedgerPostingColumns)
