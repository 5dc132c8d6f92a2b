"""PostgreSQL: tables, repositories, migrations. The only package that knows SQL."""
