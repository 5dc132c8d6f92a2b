"""What Alembic runs: the revisions on the connection that `migrate` hands over, in one transaction."""

from alembic import context
from sqlalchemy import Connection

connection = context.config.attributes["connection"]
if not isinstance(connection, Connection):
    raise TypeError("migrations run by commerce.persistence.migrate, not by the alembic command")
context.configure(connection=connection, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
