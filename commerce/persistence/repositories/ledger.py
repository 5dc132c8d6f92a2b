"""The ledger of money. The database refuses a change or an unbalanced transaction as well."""

from collections.abc import Mapping

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from commerce.domain.messaging import LedgerTransaction
from commerce.persistence.tables.ledger import ledger_postings, ledger_transactions
from commerce.persistence.work import Work


class SqlLedger:
    def __init__(self, work: Work) -> None:
        self._work = work

    async def post(self, transaction: LedgerTransaction) -> bool:
        if sum(posting.amount for posting in transaction.postings) or not transaction.postings:
            raise ValueError(f"the postings of {transaction.key} do not sum to zero")
        row = await self._work.first(
            upsert(ledger_transactions)
            .values(
                key=transaction.key,
                kind=transaction.kind,
                order_id=transaction.order_id,
                currency=transaction.currency,
                actor=self._work.context.actor,
                request_id=self._work.context.request_id,
            )
            .on_conflict_do_nothing(index_elements=[ledger_transactions.c.key])
            .returning(ledger_transactions.c.id)
        )
        if row is None:
            return False
        postings = [
            {
                "transaction_id": row["id"],
                "position": position,
                "account": posting.account,
                "amount": posting.amount,
            }
            for position, posting in enumerate(transaction.postings, start=1)
            if posting.amount
        ]
        await self._work.run(insert(ledger_postings), postings)
        return True

    async def balances(self) -> Mapping[tuple[str, str], int]:
        account, currency = ledger_postings.c.account, ledger_transactions.c.currency
        rows = await self._work.rows(
            select(account, currency, func.sum(ledger_postings.c.amount).label("balance"))
            .join(ledger_transactions, ledger_transactions.c.id == ledger_postings.c.transaction_id)
            .group_by(account, currency)
        )
        return {(row["account"], row["currency"]): int(row["balance"]) for row in rows}
