"""One transaction as the repositories see it: the connection, who asked, the news to tell after commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Executable, RowMapping, TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from commerce.contracts.context import RequestContext


@dataclass(frozen=True)
class Work:
    """`news` is the newest timeline entry by order."""

    connection: AsyncConnection
    context: RequestContext
    news: dict[str, int] = field(default_factory=dict)

    async def rows(
        self, statement: Executable | TextClause, parameters: Mapping[str, object] | None = None
    ) -> Sequence[RowMapping]:
        return (await self.connection.execute(statement, parameters)).mappings().all()

    async def first(
        self, statement: Executable | TextClause, parameters: Mapping[str, object] | None = None
    ) -> RowMapping | None:
        return (await self.connection.execute(statement, parameters)).mappings().first()

    async def run(
        self,
        statement: Executable | TextClause,
        parameters: Mapping[str, object] | Sequence[Mapping[str, object]] | None = None,
    ) -> int:
        """Executes, for many parameter sets in one batch; answers the number of rows touched."""
        result = await self.connection.execute(
            statement, parameters, execution_options={"preserve_rowcount": True}
        )
        return result.rowcount
