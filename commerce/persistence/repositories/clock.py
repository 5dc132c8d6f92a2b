"""Ages and deadlines by the database's clock. `now()` stands still in a transaction, this does not."""

from datetime import datetime

from sqlalchemy import Column, ColumnElement, func


def older_than(column: Column[datetime], seconds: float) -> ColumnElement[bool]:
    return column < func.clock_timestamp() - _interval(seconds)


def in_seconds(seconds: float) -> ColumnElement[datetime]:
    moment: ColumnElement[datetime] = func.clock_timestamp() + _interval(seconds)
    return moment


def _interval(seconds: float) -> ColumnElement[object]:
    return func.make_interval(0, 0, 0, 0, 0, 0, float(seconds))
